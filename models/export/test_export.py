"""Exports tiny random models as a user would and looks at what comes out. No network, no real weights.

    python -m pytest models/export/test_export.py
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    GemmaConfig,
    LlamaConfig,
    LlamaForSequenceClassification,
    PretrainedConfig,
    Qwen2Config,
    Qwen3Config,
)

import onnx_files
from decoder import DecoderReranker
from export import load_model
from gate import (
    DEFAULT_THRESHOLDS,
    EXIT_BEYOND_THRESHOLDS,
    REPORT_FILE,
    compare,
    kendall_tau,
    top_overlap,
)
from onnx_files import INLINE_LIMIT_BYTES, input_names
from prompts import named_prompt, prompt_ids
from random_models import build, drawn, spread_logits, tiny_config
from sample_text import DOCUMENTS, QUERIES
from saved_prompt import saved_prompt
from scoring import Encoded, encode_pair, onnx_logits, open_session
from shapes import SHAPES
from shared_prefix import SharedPrefixReranker, why_not_shared
from tiny_tokenizers import special_ids, train, write_tokenizer
from weight_only import quantize_weights

HERE = Path(__file__).resolve().parent
SEED = 7
TINY_DECODER = {
    "vocab_size": 100,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "pad_token_id": 0,
}


def make_source(folder: Path, architecture: str = "bert", labels: int = 1) -> Path:
    """A model folder as PyTorch users have it: weights, configuration, tokenizer."""
    tokenizer = train(architecture)
    write_tokenizer(tokenizer, architecture, folder)
    special = special_ids(tokenizer, architecture)
    model = build(tiny_config(architecture, tokenizer.get_vocab_size(), special), SEED)
    pairs = [encode_pair(tokenizer, QUERIES[0], document, 64) for document in DOCUMENTS]
    spread_logits(model, pairs)
    model.save_pretrained(folder)
    if labels != 1:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        config["id2label"] = {str(i): f"L{i}" for i in range(labels)}
        config["label2id"] = {f"L{i}": i for i in range(labels)}
        path.write_text(json.dumps(config))
    return folder


def make_decoder(folder: Path, architecture: str = "qwen3") -> tuple[Path, list[int]]:
    """A language model as PyTorch users have it, and the ids that say yes and no."""
    tokenizer = train("qwen3")
    write_tokenizer(tokenizer, "qwen3", folder)
    special = special_ids(tokenizer, "qwen3")
    model = build(tiny_config(architecture, tokenizer.get_vocab_size(), special), SEED)
    model.config.architectures = [type(model).__name__]
    model.save_pretrained(folder)
    return folder, [tokenizer.encode(word).ids[0] for word in ("yes", "no")]


def test_a_language_model_becomes_one_logit(tmp_path: Path) -> None:
    source, tokens = make_decoder(tmp_path / "source")
    options = ["--precision", "fp32", "--max-length", "1024", "--prompt", "qwen3-reranker"]
    options.append("--whole-prompt")
    plain = run_export(source, tmp_path / "plain", *options)
    assert plain.returncode == 2
    assert "--seq-cls yes,no" in plain.stderr
    head = ["--seq-cls", ",".join(str(one) for one in tokens)]
    result = run_export(source, tmp_path / "out", *options, *head)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "out/rankmill.json").read_text()) == {"prompt": "qwen3-reranker"}
    halved = run_export(source, tmp_path / "half", *options, *head, "--divide-by", "2")
    assert halved.returncode == 0, halved.stderr
    ids = {"input_ids": np.array([[5, 6, 7]]), "attention_mask": np.ones((1, 3), dtype=np.int64)}
    whole, half = (
        open_session(tmp_path / name / "onnx/model.onnx").run(["logits"], ids)[0]
        for name in ("out", "half")
    )
    assert whole.shape == (1, 1)
    np.testing.assert_allclose(half * 2, whole, atol=1e-5)


@pytest.mark.parametrize("architecture", ["gemma", "llama", "qwen2", "qwen3"])
def test_a_language_model_gives_the_frameworks_logits(architecture: str, tmp_path: Path) -> None:
    source, (yes, no) = make_decoder(tmp_path / "source", architecture)
    options = ["--precision", "fp32", "--max-length", "1024", "--prompt", "zerank"]
    result = run_export(source, tmp_path / "out", *options, "--seq-cls", f"id:{yes},id:{no}")
    assert result.returncode == 0, result.stderr
    model = AutoModelForCausalLM.from_pretrained(source, attn_implementation="eager").eval()
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    pairs, expected = [], []
    for document in DOCUMENTS[:6]:
        ids = prompt_ids(tokenizer, named_prompt("zerank"), QUERIES[0], document)
        pairs.append(Encoded(ids=ids, type_ids=[0] * len(ids)))
        with torch.inference_mode():
            last = model(input_ids=torch.tensor([ids])).logits[0, -1]
        expected.append((last[yes] - last[no]).item())
    session = open_session(tmp_path / "out/onnx/model.onnx")
    padding = model.config.pad_token_id
    for batch in (1, len(pairs)):
        np.testing.assert_allclose(onnx_logits(session, pairs, padding, batch), expected, atol=1e-4)
    assert np.ptp(expected) > 0.01


def make_bidirectional(folder: Path, **more: object) -> tuple[Path, torch.nn.Module]:
    """A Llama that looks both ways, as NVIDIA publishes its rerankers, and the same in PyTorch."""
    tokenizer = train("llama")
    write_tokenizer(tokenizer, "llama", folder)
    special = special_ids(tokenizer, "llama")
    config = tiny_config("llama", tokenizer.get_vocab_size(), special)
    model = drawn(LlamaForSequenceClassification._from_config(config, attn_implementation="eager"), SEED)
    model.save_pretrained(folder)
    path = folder / "config.json"
    own = {
        "architectures": ["LlamaBidirectionalForSequenceClassification"],
        "auto_map": {"AutoModelForSequenceClassification": "its_code.Model"},
        "model_type": "llama_bidirec",
        "pooling": "avg",
        "temperature": 0.5,
        **more,
    }
    path.write_text(json.dumps({**json.loads(path.read_text()), **own}))
    # Without a mask, attention written out in plain operators lets every token see every other.
    model.model._update_causal_mask = lambda *_: None
    return folder, model


def test_a_language_model_that_looks_both_ways_is_exported_without_its_code(tmp_path: Path) -> None:
    source, model = make_bidirectional(tmp_path / "source")
    options = ["--precision", "fp32,fp16", "--max-length", "1024", "--prompt", "nemotron-rerank"]
    result = run_export(source, tmp_path / "out", *options)
    assert result.returncode == 0, result.stdout + result.stderr
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    pairs, expected = [], []
    for document in DOCUMENTS[:6]:
        ids = prompt_ids(tokenizer, named_prompt("nemotron-rerank"), QUERIES[0], document)
        pairs.append(Encoded(ids=ids, type_ids=[0] * len(ids)))
        with torch.inference_mode():
            states = model.model(input_ids=torch.tensor([ids])).last_hidden_state
            expected.append(model.score(states.mean(dim=1)).item() / 0.5)
    session = open_session(tmp_path / "out/onnx/model.onnx")
    assert [entry.name for entry in session.get_inputs()] == ["input_ids", "attention_mask"]
    padding = model.config.pad_token_id
    for batch in (1, len(pairs)):
        np.testing.assert_allclose(onnx_logits(session, pairs, padding, batch), expected, atol=1e-4)
    assert np.ptp(expected) > 0.01


@pytest.mark.parametrize(
    ("more", "options", "why"),
    [
        ({"pooling": "cls"}, [], "pooling is 'cls', and only 'avg' is known"),
        ({}, ["--seq-cls", "yes"], "it has a head of its own: leave out --seq-cls"),
    ],
)
def test_another_language_model_that_looks_both_ways_is_refused(
    more: dict, options: list[str], why: str, tmp_path: Path
) -> None:
    source, _ = make_bidirectional(tmp_path / "source", **more)
    result = run_export(source, tmp_path / "out", *options)
    assert result.returncode == 2
    assert why in result.stderr


def make_chain(folder: Path) -> tuple[Path, torch.nn.Module, torch.nn.Module]:
    """A reranker as sentence-transformers keeps the ettin family, and its encoder and layers in PyTorch."""
    source = make_source(folder, "modernbert")
    torch.manual_seed(SEED)
    encoder = AutoModel.from_pretrained(source, attn_implementation="eager").eval()
    encoder.save_pretrained(source)
    size = encoder.config.hidden_size
    head = torch.nn.Sequential(
        torch.nn.Linear(size, size, bias=False),
        torch.nn.GELU(),
        torch.nn.LayerNorm(size),
        torch.nn.Linear(size, 1),
    )
    torch.nn.init.normal_(head[2].weight, 1.0, 0.2)
    torch.nn.init.normal_(head[2].bias, 0.0, 0.2)
    dense = {"in_features": size, "module_input_name": "sentence_embedding"}
    gelu = "torch.nn.modules.activation.GELU"
    identity = "torch.nn.modules.linear.Identity"
    modules: list[tuple[str, dict, torch.nn.Module | None]] = [
        ("Transformer", {}, None),
        ("Pooling", {"embedding_dimension": size, "pooling_mode": "cls"}, None),
        ("Dense", {**dense, "out_features": size, "bias": False, "activation_function": gelu}, head[0]),
        ("LayerNorm", {"dimension": size}, head[2]),
        ("Dense", {**dense, "out_features": 1, "bias": True, "activation_function": identity}, head[3]),
    ]
    listed = []
    for index, (kind, config, layer) in enumerate(modules):
        path = "" if kind == "Transformer" else f"{index}_{kind}"
        listed.append({"idx": index, "path": path, "type": f"sentence_transformers.{kind}"})
        if path == "":
            continue
        (source / path).mkdir()
        (source / path / "config.json").write_text(json.dumps(config))
        if layer is not None:
            prefix = "norm" if kind == "LayerNorm" else "linear"
            weights = {f"{prefix}.{name}": value for name, value in layer.state_dict().items()}
            save_file(weights, source / path / "model.safetensors")
    (source / "modules.json").write_text(json.dumps(listed))
    return source, encoder, head


def test_a_head_made_of_modules_is_part_of_the_graph(tmp_path: Path) -> None:
    source, encoder, head = make_chain(tmp_path / "source")
    result = run_export(source, tmp_path / "out", "--precision", "fp32")
    assert result.returncode == 0, result.stderr
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    pairs = [encode_pair(tokenizer, QUERIES[0], document, 64) for document in DOCUMENTS[:8]]
    expected = []
    for pair in pairs:
        with torch.inference_mode():
            states = encoder(input_ids=torch.tensor([pair.ids])).last_hidden_state
            expected.append(head(states[:, 0]).item())
    session = open_session(tmp_path / "out/onnx/model.onnx")
    padding = encoder.config.pad_token_id
    for batch in (1, len(pairs)):
        np.testing.assert_allclose(onnx_logits(session, pairs, padding, batch), expected, atol=1e-4)
    assert np.ptp(expected) > 0.01


def test_a_head_made_of_unknown_modules_is_refused(tmp_path: Path) -> None:
    source, _, _ = make_chain(tmp_path / "source")
    path = source / "2_Dense" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "activation_function": "my.Activation"}))
    result = run_export(source, tmp_path / "out")
    assert result.returncode == 2
    assert "the activation my.Activation is not known" in result.stderr


def test_the_tokens_of_a_language_model_are_read_from_its_modules(tmp_path: Path) -> None:
    source, (yes, no) = make_decoder(tmp_path / "source")
    save_as_sentence_transformers(source, [yes, no], "")
    options = ["--precision", "fp32", "--max-length", "1024", "--prompt", "qwen3-reranker"]
    read = run_export(source, tmp_path / "read", *options)
    assert read.returncode == 0, read.stderr
    given = run_export(source, tmp_path / "given", *options, "--seq-cls", f"id:{yes},id:{no}")
    assert given.returncode == 0, given.stderr
    graphs = [(tmp_path / name / "onnx/model.onnx").read_bytes() for name in ("read", "given")]
    assert graphs[0] == graphs[1]


QWEN_TEMPLATE = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct"
    ' provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
    "{% set told = messages | selectattr('role', 'eq', 'system') | map(attribute='content') | first"
    " | default('Find laws') %}\n<Instruct>: {{ told }}\n"
    "<Query>: {{ (messages | selectattr('role', 'eq', 'query') | first).content }}\n"
    "<Document>: {{ (messages | selectattr('role', 'eq', 'document') | first).content }}<|im_end|>\n"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n\n</think>\n\n{% endif %}"
)


def save_as_sentence_transformers(source: Path, tokens: list[int], template: str) -> None:
    (source / "1_LogitScore").mkdir()
    config = dict(zip(("true_token_id", "false_token_id"), tokens, strict=True))
    (source / "1_LogitScore" / "config.json").write_text(json.dumps(config))
    modules = [{"path": "", "type": "x.Transformer"}, {"path": "1_LogitScore", "type": "x.LogitScore"}]
    (source / "modules.json").write_text(json.dumps(modules))
    (source / "chat_template.jinja").write_text(template)


def test_the_prompt_of_a_saved_folder_has_the_folders_own_instruction(tmp_path: Path) -> None:
    source, tokens = make_decoder(tmp_path / "source")
    save_as_sentence_transformers(source, list(tokens), QWEN_TEMPLATE)
    known = named_prompt("qwen3-reranker")
    saved = {"default_prompt_name": "query", "prompts": {"query": "Find comments"}}
    for config, instruction in (({}, "Find laws"), (saved, "Find comments")):
        (source / "config_sentence_transformers.json").write_text(json.dumps(config))
        assert saved_prompt(source, False) == {**known, "instruction": instruction}
    (source / "chat_template.jinja").write_text(QWEN_TEMPLATE.replace("Judge", "Say"))
    assert saved_prompt(source, False) is None


def test_a_prompt_that_is_asked_for_keeps_the_instruction_of_a_saved_folder(tmp_path: Path) -> None:
    source, tokens = make_decoder(tmp_path / "source")
    save_as_sentence_transformers(source, list(tokens), QWEN_TEMPLATE)
    saved = {"default_prompt_name": "query", "prompts": {"query": "Find comments"}}
    (source / "config_sentence_transformers.json").write_text(json.dumps(saved))
    options = ["--precision", "fp32", "--max-length", "1024", "--prompt", "qwen3-reranker"]
    done = run_export(source, tmp_path / "out", *options)
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "out/rankmill.json").read_text())
    assert written["prompt"]["instruction"] == "Find comments"


def test_a_saved_folder_whose_template_is_not_known_is_refused(tmp_path: Path) -> None:
    source, tokens = make_decoder(tmp_path / "source")
    save_as_sentence_transformers(source, list(tokens), QWEN_TEMPLATE.replace("Judge", "Say"))
    done = run_export(source, tmp_path / "out", "--precision", "fp32")
    assert done.returncode == 2
    assert "makes none of the known prompts: give --prompt" in done.stderr


def test_an_encoder_with_a_text_before_its_queries_is_refused(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source")
    saved = {"default_prompt_name": "query", "prompts": {"query": "search: "}}
    (source / "config_sentence_transformers.json").write_text(json.dumps(saved))
    done = run_export(source, tmp_path / "out", "--precision", "fp32")
    assert done.returncode == 2
    assert 'puts "search: " before each query' in done.stderr


def test_a_language_model_takes_keys_and_values_unless_its_prompt_is_to_be_whole(
    tmp_path: Path,
) -> None:
    source, tokens = make_decoder(tmp_path / "source")
    head = ["--seq-cls", ",".join(f"id:{one}" for one in tokens)]
    options = ["--max-length", "1024"]
    inputs = {}
    for name, more in (
        ("shared", ["--prompt", "qwen3-reranker"]),
        ("whole", ["--prompt", "qwen3-reranker", "--whole-prompt"]),
        ("document-first", ["--prompt", "ctxl-rerank-v2"]),
        ("no-prompt", []),
    ):
        precisions = ["--precision", "fp32,fp16" if name == "shared" else "fp32"]
        done = run_export(source, tmp_path / name, *options, *head, *more, *precisions)
        assert done.returncode == 0, done.stdout + done.stderr
        for path in (tmp_path / name / "onnx").iterdir():
            inputs[name, path.name] = [entry.name for entry in open_session(path).get_inputs()]
    past = [f"past_key_values.{n}.{part}" for n in (0, 1) for part in ("key", "value")]
    for (name, _), names in inputs.items():
        added = ["kept_tokens", *past] if name == "shared" else []
        assert names == ["input_ids", "attention_mask", *added]
    report = json.loads((tmp_path / "shared" / "export-report.json").read_text())
    by_precision = {entry["precision"]: entry for entry in report["precisions"]}
    # PyTorch had the whole prompt.
    assert by_precision["fp32"]["maxLogitDifference"] < 1e-4
    assert by_precision["fp16"]["maxScoreDifference"] < 0.01


@pytest.mark.parametrize(
    "config",
    [
        Qwen2Config(**TINY_DECODER, num_key_value_heads=2),
        Qwen3Config(**TINY_DECODER, num_key_value_heads=1, head_dim=16),
        LlamaConfig(
            **TINY_DECODER,
            num_key_value_heads=4,
            rope_scaling={
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 16,
            },
        ),
        GemmaConfig(**TINY_DECODER, num_key_value_heads=1, head_dim=8),
    ],
    ids=["qwen2", "qwen3", "llama", "gemma"],
)
def test_a_language_model_in_two_steps_is_the_same_model(config: PretrainedConfig) -> None:
    whole = DecoderReranker(build(config, SEED).model, torch.linspace(-1, 1, 32)).eval()
    shared = SharedPrefixReranker(whole).eval()
    generator = torch.Generator().manual_seed(SEED)
    ids = torch.randint(5, 99, (3, 24), generator=generator)
    ids[:, :10] = ids[:1, :10]
    mask = torch.ones_like(ids)
    mask[1, 20:] = 0
    nothing = [torch.zeros(1, shared.kv_heads, 0, shared.head_dim)] * len(shared.past_names)
    with torch.inference_mode():
        expected = whole(ids, mask).logits
        # Two columns more than the prefix has: the mask hides them.
        prefix, seen = ids[:1, :12].clone(), mask[:1, :12].clone()
        prefix[0, 10:], seen[0, 10:] = 0, 0
        past = shared(prefix, seen, torch.tensor([12]), *nothing).present
        assert [one.shape[2] for one in past] == [12] * len(past)
        both = torch.cat([seen.expand(3, -1), mask[:, 10:]], dim=1)
        rest = shared(ids[:, 10:], both, torch.tensor([0]), *past)
        at_once = shared(ids, mask, torch.tensor([0]), *nothing)
    assert [one.shape[2] for one in rest.present] == [0] * len(past)
    torch.testing.assert_close(rest.logits, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(at_once.logits, expected, atol=1e-5, rtol=1e-5)


def test_a_language_model_whose_positions_depend_on_the_length_is_computed_whole() -> None:
    for setting, why in (
        ({"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}, "dynamic"),
        ({"use_sliding_window": True}, "sliding window"),
    ):
        assert why in (why_not_shared(Qwen2Config(**TINY_DECODER, **setting)) or "")
    assert why_not_shared(Qwen2Config(**TINY_DECODER)) is None


def test_a_language_model_without_its_output_is_refused(tmp_path: Path) -> None:
    source, tokens = make_decoder(tmp_path / "source")
    path = source / "model.safetensors"
    weights = {name: value for name, value in load_file(path).items() if name != "lm_head.weight"}
    save_file(weights, path, metadata={"format": "pt"})
    head = ["--seq-cls", ",".join(str(one) for one in tokens)]
    result = run_export(source, tmp_path / "out", *head)
    assert result.returncode == 2
    assert "the weights lack lm_head.weight" in result.stderr


def run_export(source: Path | str, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(HERE / "export.py"), str(source), "--output", str(output), *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "ORT_DISABLE_TELEMETRY": "1"},
    )


def test_weights_in_bytes_give_nearly_the_same(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source", "bert")
    done = run_export(source, tmp_path / "out", "--precision", "fp32,w8", "--max-difference", "0.1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "w8 against fp32" in done.stdout
    graph = onnx.load(str(tmp_path / "out/onnx/model_w8.onnx")).graph
    initializers = {one.name for one in graph.initializer}
    products = [node for node in graph.node if node.op_type == "MatMulNBits"]
    # Four of attention and two of the layer behind it, in two layers.
    assert len(products) >= 12
    assert all(set(node.input[1:]) <= initializers for node in products)
    left = [n for n in graph.node if n.op_type == "MatMul" and n.input[1] in initializers]
    assert left == []


TEST_DATA = Path(os.environ.get("RANKMILL_TEST_DATA", HERE.parents[2] / "shared/data"))
TRAINED = TEST_DATA / "models/minilm-scifact"


@pytest.mark.skipif(not TRAINED.exists(), reason=f"{TRAINED} is not there: RANKMILL_TEST_DATA")
def test_the_gate_takes_w8_of_a_trained_model_and_refuses_its_dynamic_int8(tmp_path: Path) -> None:
    folder = tmp_path / "trained"
    shutil.copytree(TRAINED, folder, copy_function=shutil.copyfile)
    # Folders that are read-only at their source must not be so in the copy.
    for one in (folder, folder / "onnx"):
        one.chmod(0o755)
    quantize_weights(folder / "onnx/model.onnx", folder / "onnx/model_w8.onnx")
    done = subprocess.run(
        [sys.executable, str(HERE / "gate.py"), str(folder), "--max-length", "128"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == EXIT_BEYOND_THRESHOLDS, done.stdout + done.stderr
    report = json.loads((folder / REPORT_FILE).read_text())
    by_precision = {entry["precision"]: entry for entry in report["precisions"]}
    assert by_precision["w8"]["passed"] is True
    assert by_precision["int8"]["passed"] is False
    assert by_precision["int8"]["kendallTau"] < by_precision["w8"]["kendallTau"]


def test_electra_is_exported_and_agrees(tmp_path: Path) -> None:
    """Without int8: weights that mean nothing round so coarsely in this layout that no gate takes them."""
    source = make_source(tmp_path / "source", "electra")
    done = run_export(source, tmp_path / "out", "--precision", "fp32,fp16")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fp32 against pytorch" in done.stdout
    names = [entry.name for entry in open_session(tmp_path / "out/onnx/model.onnx").get_inputs()]
    assert names == ["input_ids", "attention_mask", "token_type_ids"]


@pytest.mark.parametrize("architecture", ["bert", "xlm-roberta", "modernbert", "deberta-v2"])
def test_exports_three_precisions_that_agree(architecture: str, tmp_path: Path) -> None:
    source = make_source(tmp_path / "source", architecture)
    output = tmp_path / "out"
    # Two layers of 32 units round more coarsely than any real model.
    done = run_export(source, output, "--min-tau", "0.8", "--max-difference", "0.2")
    assert done.returncode == 0, done.stdout + done.stderr

    for name in ("model.onnx", "model_fp16.onnx", "model_int8.onnx"):
        session = open_session(output / "onnx" / name)
        inputs = {entry.name: entry.shape for entry in session.get_inputs()}
        assert all(shape == ["batch_size", "sequence_length"] for shape in inputs.values())
        assert ("token_type_ids" in inputs) == (architecture in ("bert", "deberta-v2"))
        assert [o.type for o in session.get_outputs()] == ["tensor(float)"]
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json"):
        assert (output / name).read_bytes() == (source / name).read_bytes()

    report = json.loads((output / "export-report.json").read_text())
    assert report["passed"] is True
    assert report["pairs"] == len(QUERIES) * len(DOCUMENTS)
    assert report["fp32PaddingLogitDifference"] < 1e-4
    by_precision = {entry["precision"]: entry for entry in report["precisions"]}
    assert by_precision["fp32"]["reference"] == "pytorch"
    assert by_precision["fp32"]["maxLogitDifference"] < 1e-4
    assert by_precision["fp16"]["maxScoreDifference"] < 0.01
    assert 0 < by_precision["int8"]["maxScoreDifference"] < 0.2
    assert set(by_precision["int8"]) >= {"kendallTau", "top10Overlap", "thresholds", "passed"}


def test_int8_weights_are_signed_and_scaled_by_channel(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source")
    ranges = {}
    for name, options in (("full", ()), ("reduced", ("--reduce-range",))):
        output = tmp_path / name
        run_export(source, output, "--precision", "int8", "--max-difference", "1", *options)
        assert [path.name for path in (output / "onnx").iterdir()] == ["model_int8.onnx"]
        graph = onnx.load(str(output / "onnx" / "model_int8.onnx")).graph
        tensors = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
        products = [node for node in graph.node if node.op_type == "MatMulInteger"]
        weights = [tensors[n.input[1]] for n in products if n.input[1] in tensors]
        assert len(weights) > 0
        assert all(weight.dtype == np.int8 for weight in weights)
        zero_points = [tensors[n.input[3]] for n in products if n.input[3] in tensors]
        columns = sorted(weight.shape[1] for weight in weights)
        assert sorted(zero.size for zero in zero_points if zero.ndim > 0) == columns
        ranges[name] = max(int(np.abs(weight.astype(int)).max()) for weight in weights)
    assert ranges["full"] > 64 >= ranges["reduced"]


def test_a_precision_beyond_its_thresholds_ends_with_status_3(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source")
    output = tmp_path / "out"
    done = run_export(source, output, "--precision", "fp32,int8", "--max-difference", "0.0001")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "int8 against fp32" in done.stdout
    assert "BEYOND THRESHOLDS" in done.stdout
    report = json.loads((output / "export-report.json").read_text())
    assert report["passed"] is False
    assert {e["precision"]: e["passed"] for e in report["precisions"]} == {
        "fp32": True,
        "int8": False,
    }


def test_the_gate_takes_the_users_own_pairs(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source")
    pairs = tmp_path / "pairs.jsonl"
    rows = [
        {"query": QUERIES[0], "documents": DOCUMENTS[:5]},
        {"query": QUERIES[1], "documents": [{"text": text} for text in DOCUMENTS[:3]]},
    ]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run_export(
        source, tmp_path / "out", "--precision", "fp32", "--pairs", str(pairs), "--max-length", "24"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "out" / "export-report.json").read_text())
    assert (report["queries"], report["pairs"], report["maxLength"]) == (2, 8, 24)


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda folder: make_source(folder, labels=3), "3 logits"),
        (lambda folder: (make_source(folder) / "model.safetensors").unlink(), "safetensors"),
        (lambda folder: (make_source(folder) / "tokenizer.json").unlink(), "tokenizer"),
    ],
    ids=["several logits", "no weights", "no tokenizer"],
)
def test_what_cannot_be_exported_is_refused_with_the_reason(
    break_it: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    break_it(tmp_path / "source")
    done = run_export(tmp_path / "source", tmp_path / "out")
    assert done.returncode == 2, done.stdout + done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "onnx" / "model.onnx").exists()


def test_a_hub_id_that_is_not_cached_is_refused_offline(tmp_path: Path) -> None:
    done = run_export("nobody/no-such-reranker", tmp_path / "out")
    assert done.returncode == 2
    assert "nobody/no-such-reranker" in done.stderr


def test_large_weights_go_into_a_file_beside_the_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert INLINE_LIMIT_BYTES < 2**31
    source = make_source(tmp_path / "source")
    model = load_model(source, trust_remote_code=False)
    monkeypatch.setattr(onnx_files, "INLINE_LIMIT_BYTES", 1000)
    path = onnx_files.export_fp32(model, tmp_path / "out")
    data = path.with_name("model.onnx_data")
    assert data.stat().st_size > path.stat().st_size
    assert sorted(p.name for p in path.parent.iterdir()) == ["model.onnx", "model.onnx_data"]
    int8 = path.with_name("model_int8.onnx")
    onnx_files.quantize_int8(path, int8, reduce_range=False)
    names = [entry.name for entry in open_session(int8).get_inputs()]
    assert names == input_names(model)


@pytest.mark.parametrize(
    ("model", "architecture"), [("tiny-bert", "bert"), ("tiny-xlm-roberta", "xlm-roberta")]
)
def test_a_synthetic_model_is_a_whole_model_folder(
    model: str, architecture: str, tmp_path: Path
) -> None:
    tokenizer = tmp_path / "tokenizer"
    write_tokenizer(train(architecture), architecture, tokenizer)
    output = tmp_path / "out"
    command = [sys.executable, str(HERE / "make-synthetic.py"), "--model", model]
    subprocess.run(
        [*command, "--tokenizer", str(tokenizer), "--output", str(output)],
        check=True,
        capture_output=True,
    )
    assert (output / "tokenizer.json").read_bytes() == (tokenizer / "tokenizer.json").read_bytes()
    config = json.loads((output / "config.json").read_text())
    assert config["model_type"] == architecture
    loaded = Tokenizer.from_file(str(output / "tokenizer.json"))
    pairs = [encode_pair(loaded, QUERIES[1], document, 512) for document in DOCUMENTS]
    for name in ("model.onnx", "model_int8.onnx"):
        logits = onnx_logits(open_session(output / "onnx" / name), pairs, config["pad_token_id"])
        assert 0.3 < np.std(logits) < 6


def test_a_synthetic_language_model_has_its_prompt_and_as_many_layers_as_asked(tmp_path: Path) -> None:
    tokenizer = tmp_path / "tokenizer"
    write_tokenizer(train("qwen3"), "qwen3", tokenizer)
    output = tmp_path / "out"
    command = [sys.executable, str(HERE / "make-synthetic.py"), "--model", "tiny-qwen3"]
    options = ["--layers", "1", "--precision", "fp32", "--weights"]
    subprocess.run(
        [*command, *options, "--tokenizer", str(tokenizer), "--output", str(output)],
        check=True,
        capture_output=True,
    )
    assert json.loads((output / "rankmill.json").read_text()) == {"prompt": "qwen3-reranker"}
    assert json.loads((output / "config.json").read_text())["num_hidden_layers"] == 1
    assert (output / "model.safetensors").exists()
    names = [entry.name for entry in open_session(output / "onnx/model.onnx").get_inputs()]
    assert names[-2:] == ["past_key_values.0.key", "past_key_values.0.value"]


@pytest.mark.parametrize(
    ("shape", "entry", "family"),
    [
        ("minilm-l6", "ms-marco-MiniLM-L6-v2", "bert"),
        ("ms-marco-electra-base", "ms-marco-electra-base", "electra"),
        ("mxbai-rerank-xsmall-v1", "mxbai-rerank-xsmall-v1", "deberta-v2"),
        ("bge-reranker-v2-m3", "bge-reranker-v2-m3", "xlm-roberta"),
        ("ettin-reranker-17m", "ettin-reranker-17m-v1", "ettin"),
        ("ettin-reranker-150m", "ettin-reranker-150m-v1", "ettin"),
        ("qwen3-reranker-0.6b", "Qwen3-Reranker-0.6B", "qwen3"),
        ("mxbai-rerank-base-v2", "mxbai-rerank-base-v2", "qwen2"),
        ("bge-reranker-v2-gemma", "bge-reranker-v2-gemma", "gemma"),
    ],
)
def test_a_shape_has_as_many_parameters_as_its_model(shape: str, entry: str, family: str) -> None:
    config = SHAPES[shape].configuration(train(family))
    kind = AutoModel._model_mapping[type(config)]
    with torch.device("meta"):
        model = kind(config)
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    catalogue = json.loads((HERE.parent / "catalogue" / f"{entry}.json").read_text())
    assert millions == pytest.approx(catalogue["parameters"], rel=0.03)


def test_figures_of_the_gate() -> None:
    up = np.array([1.0, 2.0, 3.0, 4.0])
    assert kendall_tau(up, up) == 1.0
    assert kendall_tau(up, -up) == -1.0
    assert kendall_tau(up, np.array([1.0, 2.0, 4.0, 3.0])) == pytest.approx(4 / 6)
    assert kendall_tau(up[:1], up[:1]) == 1.0
    many = np.arange(20.0)
    assert top_overlap(many, many) == 1.0
    assert top_overlap(many, -many) == 0.0
    thresholds = DEFAULT_THRESHOLDS["int8"]
    broken = np.array([1.0, np.nan, 3.0, 4.0])
    assert not compare("int8", broken, "fp32", up, [4], thresholds).passed

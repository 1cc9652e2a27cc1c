"""Makes a model folder of a real reranker's shape with random weights, for measuring speed and memory.

    python models/export/make-synthetic.py --model minilm-l6 --precision fp32,int8 \\
        --tokenizer FOLDER --output FOLDER

The tokenizer's files are copied from FOLDER, so that the result is a whole model folder. Scores
mean nothing, but vary from pair to pair as those of a real model do. A language model gets its prompt;
--layers makes it smaller, and --weights keeps what the framework needs to run the same model.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, PretrainedConfig, Qwen3Config, XLMRobertaConfig

from decoder import DecoderReranker
from onnx_files import FILE_OF_PRECISION, convert_fp16, export_fp32, input_names, quantize_int8
from prompts import PROMPT_FILE, named_prompt, prompt_ids
from random_models import LOGIT_SPREAD, build, spread_logits
from sample_text import DOCUMENTS, QUERIES
from scoring import Encoded, encode_pair, torch_logits
from shared_prefix import SharedPrefixReranker
from tiny_tokenizers import write_json

SEED = 20_240_611
# Enough pairs to see how far logits spread, few enough for the largest shape on one core.
SPREAD_PAIRS = 12
SPREAD_MAX_LENGTH = 64
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")

# Shapes as in the configuration files of the models they are named after.
BERT_SHAPES = {
    "tiny-bert": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
    "minilm-l6": {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12},
    "minilm-l12": {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 12},
}
XLMR_SHAPES = {
    "tiny-xlm-roberta": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
    # Fast at any length, and as hungry as a large model if pairs are long: attention is all it is.
    "long-xlm-roberta": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
    "bge-reranker-base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "bge-reranker-v2-m3": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16},
}
QWEN3_SHAPES = {
    "tiny-qwen3": {
        "vocab_size": 0,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
    },
    "qwen3-reranker-0.6b": {
        "vocab_size": 151_669,
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "rope_theta": 1_000_000.0,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
    },
}
QWEN3_PROMPT = "qwen3-reranker"
LONG_POSITIONS = {"qwen3-reranker-0.6b": 8192, "bge-reranker-v2-m3": 8192, "long-xlm-roberta": 8192}
POSITIONS = 512
BERT_VOCABULARY = 30_522
XLMR_VOCABULARY = 250_002


def shape_config(model: str, tokenizer: Tokenizer) -> PretrainedConfig:
    """The configuration of one shape. Tiny shapes take the tokenizer's vocabulary, others their own."""
    known = tokenizer.get_vocab_size()
    if model in BERT_SHAPES:
        config = BertConfig(
            **BERT_SHAPES[model],
            vocab_size=known if model.startswith("tiny") else BERT_VOCABULARY,
            max_position_embeddings=POSITIONS,
            pad_token_id=token_id(tokenizer, "[PAD]"),
        )
    else:
        config = XLMRobertaConfig(
            **XLMR_SHAPES[model],
            vocab_size=known if model.startswith("tiny") else XLMR_VOCABULARY,
            # Positions start after the padding id.
            max_position_embeddings=LONG_POSITIONS.get(model, POSITIONS) + 2,
            type_vocab_size=1,
            layer_norm_eps=1e-5,
            pad_token_id=token_id(tokenizer, "<pad>"),
            bos_token_id=token_id(tokenizer, "<s>"),
            eos_token_id=token_id(tokenizer, "</s>"),
        )
    config.intermediate_size = 4 * config.hidden_size
    if known > config.vocab_size:
        raise SystemExit(
            f"the tokenizer has {known} tokens, {model} has {config.vocab_size}: "
            "give --tokenizer the folder of this model's family"
        )
    return config


def token_id(tokenizer: Tokenizer, token: str) -> int:
    found = tokenizer.token_to_id(token)
    if found is None:
        raise SystemExit(f"the tokenizer has no {token}: give --tokenizer the other family's folder")
    return found


def copy_tokenizer(source: Path, target: Path, max_length: int) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        if (source / name).exists():
            # Contents only: a read-only source must not make the copy read-only.
            shutil.copyfile(source / name, target / name)
    path = target / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    config["model_max_length"] = min(config.get("model_max_length", max_length), max_length)
    write_json(path, config)


def write_fp32(options: argparse.Namespace) -> Path:
    name, source, output = options.model, options.tokenizer, options.output
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    texts = [(QUERIES[i % len(QUERIES)], DOCUMENTS[i]) for i in range(SPREAD_PAIRS)]
    copy_tokenizer(source, output, LONG_POSITIONS.get(name, POSITIONS))
    if name in QWEN3_SHAPES:
        model = language_model(options, tokenizer, texts)
    else:
        model = build(shape_config(name, tokenizer), SEED)
        pairs = [encode_pair(tokenizer, q, d, SPREAD_MAX_LENGTH) for q, d in texts]
        spread_logits(model, pairs)
        model.config.architectures = [type(model).__name__]
        model.config.save_pretrained(output)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{name}: {parameters / 1e6:.1f} M parameters, inputs {input_names(model)}")
    return export_fp32(model, output / "onnx")


def language_model(
    options: argparse.Namespace, tokenizer: Tokenizer, texts: list[tuple[str, str]]
) -> torch.nn.Module:
    shape = dict(QWEN3_SHAPES[options.model])
    shape["num_hidden_layers"] = options.layers or shape["num_hidden_layers"]
    # A tiny shape takes the tokenizer's vocabulary.
    shape["vocab_size"] = shape["vocab_size"] or tokenizer.get_vocab_size()
    config = Qwen3Config(**shape, pad_token_id=token_id(tokenizer, "<|endoftext|>"))
    model = build(config, SEED)
    # Weights that are made up are not tied, and those that transformers loads are.
    model.tie_weights()
    prompt = named_prompt(QWEN3_PROMPT)
    yes, no = (tokenizer.encode(word).ids[0] for word in ("yes", "no"))
    pairs = [prompt_ids(tokenizer, prompt, *text) for text in texts]
    encoded = [Encoded(ids, [0] * len(ids)) for ids in pairs]
    row = model.lm_head.weight[yes] - model.lm_head.weight[no]
    fold = DecoderReranker(model.model, row).eval()
    spread = float(np.std(torch_logits(fold, input_names(fold), encoded))) / LOGIT_SPREAD
    with torch.no_grad():
        model.model.norm.weight.div_(spread)
    text = json.dumps({"prompt": QWEN3_PROMPT}) + "\n"
    (options.output / PROMPT_FILE).write_text(text, encoding="utf-8")
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(options.output)
    if options.weights:
        model.save_pretrained(options.output)
    return fold if options.whole_prompt else SharedPrefixReranker(fold)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, choices=[*BERT_SHAPES, *XLMR_SHAPES, *QWEN3_SHAPES])
    parser.add_argument("--precision", default="fp32,int8", help="of fp32, fp16 and int8")
    parser.add_argument("--tokenizer", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--output", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--layers", type=int, help="of a language model (as many as it has)")
    parser.add_argument(
        "--whole-prompt", action="store_true", help="of a language model: no keys and values"
    )
    parser.add_argument(
        "--weights", action="store_true", help="of a language model: write the framework's weights as well"
    )
    parser.add_argument("--threads", type=int, default=1, help="for the few pairs that are scored")
    options = parser.parse_args()
    precisions = options.precision.split(",")
    if unknown := set(precisions) - FILE_OF_PRECISION.keys():
        parser.error(f"unknown precision {', '.join(sorted(unknown))}")

    torch.set_num_threads(options.threads)
    started = time.monotonic()
    fp32 = write_fp32(options)
    gc.collect()
    if "fp16" in precisions:
        convert_fp16(fp32, fp32.with_name(FILE_OF_PRECISION["fp16"]))
    if "int8" in precisions:
        quantize_int8(fp32, fp32.with_name(FILE_OF_PRECISION["int8"]), reduce_range=False)
    if "fp32" not in precisions:
        fp32.unlink()
        fp32.with_name(f"{fp32.name}_data").unlink(missing_ok=True)
    for path in sorted(fp32.parent.iterdir()):
        print(f"  {path.name}: {path.stat().st_size / 1e6:.1f} MB")
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  {time.monotonic() - started:.0f} s, at most {peak_gb:.1f} GB resident")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Makes the small random-weight models under test/fixtures/models/ and scores pairs with them in PyTorch.

Each folder is a whole model folder (configuration, tokenizer, ONNX files) with expected.json: what
the framework itself says of a few pairs. Same seed, same files.

    python models/export/make-fixtures.py [--output FOLDER]

Ends with status 1 where onnxruntime and PyTorch disagree.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaForSequenceClassification

from bidirectional import MODEL_TYPE, BidirectionalReranker
from decoder import DecoderReranker
from onnx_files import FILE_OF_PRECISION, convert_fp16, export_fp32, input_names, quantize_int8
from prompts import PROMPT_FILE, named_prompt, prompt_ids, query_first, shared_tokens
from random_models import (
    LOGIT_SPREAD,
    build,
    build_chain,
    drawn,
    scale_last_norm,
    spread_logits,
    tiny_config,
)
from sample_text import DOCUMENTS, LONG_DOCUMENT, QUERIES
from scoring import Encoded, Truncation, encode_pair, onnx_logits, open_session, torch_logits
from shared_prefix import SharedPrefixReranker
from tiny_tokenizers import special_ids, train, write_json, write_tokenizer

ARCHITECTURES = ("bert", "electra", "xlm-roberta", "modernbert", "ettin", "deberta-v2")
SEED = 20_240_611
OUTPUT = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "models"

# fp32 arithmetic in another order: what differs beyond this is a wrong graph.
MAX_DIFFERENCE_ALONE = 1e-5
MAX_DIFFERENCE_PADDED = 1e-4


@dataclass(frozen=True)
class Pair:
    query: str
    document: str
    max_length: int = 64
    truncation: Truncation = "only-second"


PAIRS = [
    Pair(QUERIES[0], DOCUMENTS[0]),
    Pair(QUERIES[0], DOCUMENTS[1]),
    Pair(QUERIES[0], DOCUMENTS[29]),
    Pair(QUERIES[1], DOCUMENTS[4]),
    Pair(QUERIES[2], DOCUMENTS[16]),
    Pair(QUERIES[5], DOCUMENTS[21]),
    # Words that the vocabulary has never seen, accents, full-width letters, an emoji.
    Pair("Zürich ＡＢＣ 🚲?", "Crème brûlée costs £4.20 – naïve, isn't it?  Yes…"),
    Pair("empty", ""),
    # Cut: the document alone, then a query longer than three quarters, then both.
    Pair(QUERIES[3], LONG_DOCUMENT),
    Pair(" ".join(DOCUMENTS[8:12]), DOCUMENTS[11]),
    Pair(" ".join(DOCUMENTS[8:12]), LONG_DOCUMENT, truncation="longest-first"),
    Pair(QUERIES[4], DOCUMENTS[12] + " " + DOCUMENTS[24], max_length=32),
    Pair(QUERIES[4], LONG_DOCUMENT, max_length=256),
]


@dataclass(frozen=True)
class Fold:
    """The prompt of a decoder's fixture, and the words whose logits make its score: one, or one less another."""

    prompt: str
    words: tuple[str, ...]


# Gemma and Llama have one word each, and the prompt of Llama has the document first.
FOLDS = {
    "qwen3": Fold("qwen3-reranker", ("yes", "no")),
    "qwen2": Fold("mxbai-rerank-v2", ("1", "0")),
    "gemma": Fold("bge-reranker-gemma", ("Yes",)),
    "llama": Fold("ctxl-rerank-v2", ("!",)),
}
# Its tokens see each other both ways, and it takes no instruction.
BIDIRECTIONAL = "llama-bidirectional"
BIDIRECTIONAL_PROMPT = "nemotron-rerank"
INSTRUCTION = "Find the place where one may leave a bicycle"


@dataclass(frozen=True)
class Asked:
    """A pair, and what a model with a prompt is told to look for."""

    query: str
    document: str
    instruction: str | None


ASKED = [
    (QUERIES[0], DOCUMENTS[0]),
    (QUERIES[0], DOCUMENTS[29]),
    (QUERIES[1], DOCUMENTS[4]),
    # Marks and breaks where a text meets its prompt: they are tokens of their own, or not.
    ("Is it open?", "(Closed.)\n\n"),
    ("  spaces before and after  ", "  two\nlines  "),
    ("Zürich ＡＢＣ 🚲?\n", "Crème brûlée costs £4.20 – naïve, isn't it?  Yes…"),
    ("empty", ""),
]


def make(architecture: str, folder: Path) -> float:
    """Writes one model folder; returns the largest disagreement seen, as a share of what is allowed."""
    torch.manual_seed(SEED)
    tokenizer = train(architecture)
    write_tokenizer(tokenizer, architecture, folder)
    special = special_ids(tokenizer, architecture)
    make_model = build_chain if architecture == "ettin" else build
    model = make_model(tiny_config(architecture, tokenizer.get_vocab_size(), special), SEED)
    names = input_names(model)

    pairs = [
        encode_pair(tokenizer, p.query, p.document, p.max_length, p.truncation) for p in PAIRS
    ]
    if "token_type_ids" not in names:
        pairs = [Encoded(ids=p.ids, type_ids=[0] * len(p.ids)) for p in pairs]
    spread_logits(model, pairs)
    expected = torch_logits(model, names, pairs)

    model.config.architectures = [type(getattr(model, "encoder", model)).__name__]
    model.config.save_pretrained(folder)
    fp32 = export_fp32(model, folder / "onnx")
    convert_fp16(fp32, fp32.with_name(FILE_OF_PRECISION["fp16"]))
    quantize_int8(fp32, fp32.with_name(FILE_OF_PRECISION["int8"]), reduce_range=False)
    rows = [
        {
            "query": p.query,
            "document": p.document,
            "maxLength": p.max_length,
            "truncation": p.truncation,
            "ids": e.ids,
            "typeIds": e.type_ids,
            "logit": logit,
        }
        for p, e, logit in zip(PAIRS, pairs, expected.tolist(), strict=True)
    ]
    # One pair per line: a change of one shows as a change of one.
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "expected.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")

    session = open_session(fp32)
    alone = np.abs(onnx_logits(session, pairs, special.pad) - expected).max()
    batched = np.abs(onnx_logits(session, pairs, special.pad, batch=len(pairs)) - expected).max()
    print(f"{architecture}: {fp32.stat().st_size / 1000:.0f} kB, {len(pairs)} pairs of", end=" ")
    print(f"{min(len(p.ids) for p in pairs)} to {max(len(p.ids) for p in pairs)} tokens,", end=" ")
    print(f"logits {expected.min():.2f} to {expected.max():.2f};", end=" ")
    print(f"onnxruntime differs by {alone:.1e} alone, {batched:.1e} padded into one batch", end="")
    for precision in ("fp16", "int8"):
        other = open_session(fp32.with_name(FILE_OF_PRECISION[precision]))
        difference = np.abs(onnx_logits(other, pairs, special.pad) - expected).max()
        print(f"; {precision} by {difference:.1e}", end="")
    print(flush=True)
    return max(alone / MAX_DIFFERENCE_ALONE, batched / MAX_DIFFERENCE_PADDED)


def scale_logits(model: torch.nn.Module, tokens: list[int], by: float) -> None:
    """Makes the logits of `tokens` `by` times as large."""
    if model.config.tie_word_embeddings:
        # The rows are the input's as well.
        scale_last_norm(model, by)
        return
    with torch.no_grad():
        model.lm_head.weight[tokens] *= by


def make_decoder(architecture: str, folder: Path) -> float:
    """Writes the folder of a language model with a prompt; returns what `make` does."""
    fold = FOLDS[architecture]
    torch.manual_seed(SEED)
    tokenizer = train(architecture)
    write_tokenizer(tokenizer, architecture, folder)
    prompt = named_prompt(fold.prompt)
    (folder / PROMPT_FILE).write_text(json.dumps({"prompt": fold.prompt}) + "\n", encoding="utf-8")
    special = special_ids(tokenizer, architecture)
    model = build(tiny_config(architecture, tokenizer.get_vocab_size(), special), SEED)
    tokens = [tokenizer.encode(word, add_special_tokens=False).ids[0] for word in fold.words]
    asked = [
        Asked(*pair, instruction) for pair in ASKED for instruction in (None, INSTRUCTION)
    ]
    pairs = [
        prompt_ids(tokenizer, prompt, one.query, one.document, one.instruction) for one in asked
    ]

    def logits() -> np.ndarray:
        # Of the whole language model, one pair at a time: what the fold must give as well.
        with torch.inference_mode():
            last = [model(input_ids=torch.tensor([ids])).logits[0, -1] for ids in pairs]
        return np.array([float(one[tokens[0]] - sum(one[token] for token in tokens[1:])) for one in last])

    drawn = logits()
    # Logits far from 0 have fewer digits after the point.
    spread = max(float(np.std(drawn)), float(np.abs(drawn).max()) / 3)
    scale_logits(model, tokens, LOGIT_SPREAD / spread)
    expected = logits()
    model.config.save_pretrained(folder)
    weight = model.lm_head.weight
    row = weight[tokens[0]] - sum(weight[token] for token in tokens[1:])
    decoder = DecoderReranker(model.model, row).eval()
    shared = query_first(prompt)
    fp32 = export_fp32(SharedPrefixReranker(decoder) if shared else decoder, folder / "onnx")
    quantize_int8(fp32, fp32.with_name(FILE_OF_PRECISION["int8"]), reduce_range=False)
    if architecture == "qwen3":
        # The same weights in a graph without keys and values.
        export_fp32(decoder, folder / "whole")
    rows = [
        {**asdict(one), "ids": ids, "logit": logit}
        for one, ids, logit in zip(asked, pairs, expected.tolist(), strict=True)
    ]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "expected.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    encoded = [
        Encoded(ids, [0] * len(ids), shared_tokens(tokenizer, prompt, one.query, one.instruction) if shared else 0)
        for one, ids in zip(asked, pairs, strict=True)
    ]
    session = open_session(fp32)
    alone = np.abs(onnx_logits(session, encoded, special.pad) - expected).max()
    batched = np.abs(onnx_logits(session, encoded, special.pad, batch=len(pairs)) - expected).max()
    sizes = [len(ids) for ids in pairs]
    print(f"{architecture}: {fp32.stat().st_size / 1000:.0f} kB, pairs of {min(sizes)} to {max(sizes)} tokens, ", end="")
    print(f"logits {expected.min():.2f} to {expected.max():.2f}; ", end="")
    print(f"onnxruntime differs by {alone:.1e} alone, {batched:.1e} padded into one batch", flush=True)
    return max(alone / MAX_DIFFERENCE_ALONE, batched / MAX_DIFFERENCE_PADDED)


def make_bidirectional(folder: Path) -> float:
    """Writes the folder of a Llama that looks both ways; returns what `make` does."""
    torch.manual_seed(SEED)
    tokenizer = train("llama")
    write_tokenizer(tokenizer, "llama", folder)
    prompt = named_prompt(BIDIRECTIONAL_PROMPT)
    text = json.dumps({"prompt": BIDIRECTIONAL_PROMPT}) + "\n"
    (folder / PROMPT_FILE).write_text(text, encoding="utf-8")
    special = special_ids(tokenizer, "llama")
    config = tiny_config("llama", tokenizer.get_vocab_size(), special)
    model = drawn(LlamaForSequenceClassification._from_config(config, attn_implementation="eager"), SEED)
    # Without a mask, attention written out in plain operators lets every token see every other.
    made_masks = model.model._update_causal_mask
    model.model._update_causal_mask = lambda *_: None
    pairs = [prompt_ids(tokenizer, prompt, query, document) for query, document in ASKED]
    with torch.inference_mode():
        states = [model.model(input_ids=torch.tensor([ids])).last_hidden_state for ids in pairs]
        means = torch.cat([one.mean(dim=1) for one in states])
        spread = (means @ model.score.weight[0]).std()
        model.score.weight.mul_(LOGIT_SPREAD / spread)
        expected = (means @ model.score.weight[0]).double().numpy()
    model.model._update_causal_mask = made_masks
    named = {
        "architectures": ["LlamaBidirectionalForSequenceClassification"],
        "model_type": MODEL_TYPE,
        "pooling": "avg",
    }
    write_json(folder / "config.json", {**model.config.to_diff_dict(), **named})
    fp32 = export_fp32(BidirectionalReranker(model.model, model.score.weight[0]).eval(), folder / "onnx")
    quantize_int8(fp32, fp32.with_name(FILE_OF_PRECISION["int8"]), reduce_range=False)
    rows = [
        {**asdict(Asked(*asked, None)), "ids": ids, "logit": logit}
        for asked, ids, logit in zip(ASKED, pairs, expected.tolist(), strict=True)
    ]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "expected.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    encoded = [Encoded(ids, [0] * len(ids)) for ids in pairs]
    session = open_session(fp32)
    alone = np.abs(onnx_logits(session, encoded, special.pad) - expected).max()
    batched = np.abs(onnx_logits(session, encoded, special.pad, batch=len(pairs)) - expected).max()
    print(f"{BIDIRECTIONAL}: logits {expected.min():.2f} to {expected.max():.2f}; ", end="")
    print(f"onnxruntime differs by {alone:.1e} alone, {batched:.1e} padded into one batch", flush=True)
    return max(alone / MAX_DIFFERENCE_ALONE, batched / MAX_DIFFERENCE_PADDED)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=OUTPUT)
    folder = parser.parse_args().output
    torch.set_num_threads(1)
    worst = max(make(architecture, folder / architecture) for architecture in ARCHITECTURES)
    worst = max(worst, *(make_decoder(name, folder / name) for name in FOLDS))
    worst = max(worst, make_bidirectional(folder / BIDIRECTIONAL))
    if worst > 1:
        print("onnxruntime and PyTorch disagree: the exported graph is wrong", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

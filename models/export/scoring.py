"""Encodes pairs and scores them, in PyTorch and in onnxruntime."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import no_telemetry  # noqa: F401 (before onnxruntime)
import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer

PAST = "past_key_values."
Truncation = Literal["only-second", "longest-first"]


@dataclass(frozen=True)
class Encoded:
    """One pair as the model reads it: token ids and types, special tokens included, no padding."""

    ids: list[int]
    type_ids: list[int]
    # Tokens at the start that all documents of the query share: 0 without a prompt.
    shared: int = 0


def encode_pair(
    tokenizer: Tokenizer,
    query: str,
    document: str,
    max_length: int,
    truncation: Truncation = "only-second",
) -> Encoded:
    """Encodes with the tokenizer's own template, cut to `max_length` tokens.

    only-second: the query is first cut to three quarters of `max_length`, then the document gives
    way (FlagEmbedding). longest-first: token by token from the longer of both (sentence-transformers).
    """
    tokenizer.no_padding()
    tokenizer.no_truncation()
    query_encoding = tokenizer.encode(query, add_special_tokens=False)
    document_encoding = tokenizer.encode(document, add_special_tokens=False)
    if truncation == "only-second":
        query_encoding.truncate(max_length * 3 // 4)
        # The room that special tokens leave; cutting an empty or fitting document is a no-op.
        specials = tokenizer.num_special_tokens_to_add(is_pair=True)
        document_encoding.truncate(max_length - specials - len(query_encoding.ids))
    else:
        tokenizer.enable_truncation(max_length, strategy="longest_first")
    pair = tokenizer.post_process(query_encoding, document_encoding)
    tokenizer.no_truncation()
    return Encoded(ids=pair.ids, type_ids=pair.type_ids)


def padded(pairs: list[Encoded], pad_token_id: int) -> dict[str, np.ndarray]:
    """int64 arrays [pairs, longest]; padding is on the right."""
    longest = max(len(pair.ids) for pair in pairs)
    shape = (len(pairs), longest)
    arrays = {
        "input_ids": np.full(shape, pad_token_id, dtype=np.int64),
        "attention_mask": np.zeros(shape, dtype=np.int64),
        "token_type_ids": np.zeros(shape, dtype=np.int64),
    }
    for row, pair in enumerate(pairs):
        length = len(pair.ids)
        arrays["input_ids"][row, :length] = pair.ids
        arrays["attention_mask"][row, :length] = 1
        arrays["token_type_ids"][row, :length] = pair.type_ids
    return arrays


def torch_logits(
    model: torch.nn.Module, names: list[str], pairs: list[Encoded], batch: int = 1
) -> np.ndarray:
    """float64 [pairs]. `batch` pairs at a time, padded to the longest of them."""
    pad_token_id = model.config.pad_token_id or 0
    found: list[float] = []
    with torch.inference_mode():
        for start in range(0, len(pairs), batch):
            arrays = padded(pairs[start : start + batch], pad_token_id)
            inputs = {name: torch.from_numpy(arrays[name]) for name in names}
            found.extend(model(**inputs).logits[:, 0].float().tolist())
    return np.array(found, dtype=np.float64)


def open_session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Errors only: constant folding warns of every fp16 operator that the CPU does not have.
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(path), sess_options=options, providers=["CPUExecutionProvider"]
    )


def onnx_logits(
    session: onnxruntime.InferenceSession, pairs: list[Encoded], pad_token_id: int, batch: int = 1
) -> np.ndarray:
    """float64 [pairs]. `batch` pairs at a time, padded to the longest of them."""
    names = [entry.name for entry in session.get_inputs()]
    if any(name.startswith(PAST) for name in names):
        return prefixed_logits(session, pairs, pad_token_id, batch)
    found: list[float] = []
    for start in range(0, len(pairs), batch):
        arrays = padded(pairs[start : start + batch], pad_token_id)
        [logits] = session.run(["logits"], {name: arrays[name] for name in names})
        found.extend(logits[:, 0].astype(np.float64).tolist())
    return np.array(found, dtype=np.float64)


def prefixed_logits(
    session: onnxruntime.InferenceSession, pairs: list[Encoded], pad_token_id: int, batch: int
) -> np.ndarray:
    """The same of a graph with keys and values, in two steps: what a query's pairs share, then the rest."""
    past_inputs = [entry for entry in session.get_inputs() if entry.name.startswith(PAST)]
    presents = [entry.name.replace(PAST, "present.") for entry in past_inputs]
    by_prefix: dict[tuple[int, ...], list[int]] = {}
    for index, pair in enumerate(pairs):
        by_prefix.setdefault(tuple(pair.ids[: pair.shared]), []).append(index)
    found = np.zeros(len(pairs), dtype=np.float64)
    for prefix, indices in by_prefix.items():
        past = {
            entry.name: np.zeros((1, entry.shape[1], 0, entry.shape[3]), dtype=np.float32)
            for entry in past_inputs
        }
        if prefix:
            ids = np.array([prefix], dtype=np.int64)
            feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), **kept(ids.size), **past}
            past = dict(zip(past, session.run(presents, feeds), strict=True))
        for start in range(0, len(indices), batch):
            some = indices[start : start + batch]
            rests = [pairs[index].ids[len(prefix) :] for index in some]
            arrays = padded([Encoded(ids, [0] * len(ids)) for ids in rests], pad_token_id)
            seen = np.ones((len(some), len(prefix)), dtype=np.int64)
            mask = np.concatenate([seen, arrays["attention_mask"]], axis=1)
            feeds = {"input_ids": arrays["input_ids"], "attention_mask": mask, **kept(0), **past}
            found[some] = session.run(["logits"], feeds)[0][:, 0]
    return found


def kept(tokens: int) -> dict[str, np.ndarray]:
    return {"kept_tokens": np.array([tokens], dtype=np.int64)}


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.array([1 / (1 + math.exp(-logit)) for logit in logits])

"""Loads the weights of a Hugging Face folder, all of them."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import PretrainedConfig


def load_weights(
    kind: type, folder: Path, config: PretrainedConfig, trust_remote_code: bool
) -> torch.nn.Module:
    """A model in float32 and evaluation mode, with attention written out in plain operators.

    `kind` is one of transformers' Auto classes. Weights that the folder lacks are an error: a head that is
    made up on loading gives scores that look like scores.
    """
    model, loading = kind.from_pretrained(
        folder,
        config=config,
        torch_dtype=torch.float32,
        attn_implementation="eager",
        trust_remote_code=trust_remote_code,
        output_loading_info=True,
    )
    missing = set(loading["missing_keys"])
    if getattr(config, "tie_word_embeddings", False):
        # Its output is its input embeddings, and its file has them once.
        missing -= set(getattr(model, "_tied_weights_keys", None) or [])
    if missing:
        raise ValueError(f"{folder}: the weights lack {', '.join(sorted(missing)[:4])}")
    return model.eval()

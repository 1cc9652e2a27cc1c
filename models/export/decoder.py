"""Rerankers that are language models: one logit from the token that would come next."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification

from weights import load_weights

# The layouts that were exported and compared; others may hide a cache or a mask of their own.
DECODERS = ("gemma", "llama", "qwen2", "qwen3")


class RowReranker(torch.nn.Module):
    """A language model without its vocabulary, and one row of weights that makes its logit."""

    def __init__(self, model: torch.nn.Module, row: torch.Tensor, divisor: float = 1.0) -> None:
        super().__init__()
        self.model = model
        self.row = torch.nn.Parameter(row.detach().clone().float() / divisor)
        self.config = model.config


class DecoderReranker(RowReranker):
    """A decoder without its vocabulary: the last token's state times one row of weights.

    The row is that of the token which says yes, less that of the token which says no if there is one:
    the difference of two logits is one product. Rows are padded on the right, so the last token is found
    by the mask, and positions count from the left.
    """

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        positions = torch.arange(input_ids.shape[1], device=input_ids.device).unsqueeze(0)
        states = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=positions,
            use_cache=False,
        ).last_hidden_state
        last = attention_mask.sum(dim=1) - 1
        rows = torch.arange(states.shape[0], device=states.device)
        return SimpleNamespace(logits=states[rows, last] @ self.row.unsqueeze(1))


def load_decoder(
    folder: Path, tokens: list[int], divisor: float, trust_remote_code: bool
) -> DecoderReranker:
    """The reranker in a folder that holds a causal language model, or one whose head was folded before.

    `tokens` are the ids that say yes and no; empty for a folder with one logit of its own.
    """
    config = AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
    kind = AutoModelForCausalLM if tokens else AutoModelForSequenceClassification
    model = load_weights(kind, folder, config, trust_remote_code)
    weight = model.lm_head.weight if tokens else model.score.weight
    row = weight[tokens[0]] - weight[tokens[1]] if len(tokens) == 2 else weight[(tokens or [0])[0]]
    return DecoderReranker(model.model, row, divisor).eval()

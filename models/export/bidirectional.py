"""Rerankers that are a Llama whose tokens see each other both ways: one logit from the mean of their states.

Their configuration is Llama's with another name, the kind of mean (`pooling`) and a divisor of the logit
(`temperature`); their weights have the names that transformers gives to a Llama that classifies. So none of
the code that comes with them is needed.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import torch
from transformers import LlamaConfig, LlamaForSequenceClassification

from decoder import RowReranker
from weights import load_weights

MODEL_TYPE = "llama_bidirec"
# Of the configuration: what names the code that comes with the weights.
OF_ITS_CODE = ("model_type", "auto_map", "architectures")


class BidirectionalReranker(RowReranker):
    """The mean of the states of a pair's tokens times one row of weights. Padding is in no mean."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        seen = attention_mask.float()
        # A mask of four dimensions is taken as it is; of two, the model would make one of what stands before.
        hidden = (1.0 - seen[:, None, None, :]) * torch.finfo(torch.float32).min
        states = self.model(
            input_ids=input_ids,
            attention_mask=hidden.expand(-1, 1, input_ids.shape[1], -1),
            position_ids=torch.arange(input_ids.shape[1], device=input_ids.device).unsqueeze(0),
            use_cache=False,
        ).last_hidden_state
        weights = seen.unsqueeze(-1)
        mean = (states * weights).sum(dim=1) / weights.sum(dim=1)
        return SimpleNamespace(logits=mean @ self.row.unsqueeze(1))


def is_bidirectional(folder: Path) -> bool:
    path = folder / "config.json"
    return path.exists() and read_json(path).get("model_type") == MODEL_TYPE


def load_bidirectional(folder: Path) -> BidirectionalReranker:
    """The reranker in such a folder. Raises ValueError if its mean is of another kind, or it has several logits."""
    values = read_json(folder / "config.json")
    pooling = values.pop("pooling", "avg")
    divisor = float(values.pop("temperature", 1.0))
    if pooling != "avg":
        raise ValueError(f"{folder}: pooling is {pooling!r}, and only 'avg' is known")
    config = LlamaConfig(**{key: value for key, value in values.items() if key not in OF_ITS_CODE})
    if config.num_labels != 1:
        raise ValueError(f"{folder}: the model has {config.num_labels} logits; a cross-encoder has one")
    model = load_weights(LlamaForSequenceClassification, folder, config, trust_remote_code=False)
    return BidirectionalReranker(model.model, model.score.weight[0], divisor).eval()


def read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))

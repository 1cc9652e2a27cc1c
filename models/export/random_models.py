"""Random-weight cross-encoders whose scores nevertheless vary from pair to pair."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    BertConfig,
    DebertaV2Config,
    ElectraConfig,
    GemmaConfig,
    LlamaConfig,
    ModernBertConfig,
    PretrainedConfig,
    Qwen2Config,
    Qwen3Config,
    XLMRobertaConfig,
)
from transformers.modeling_utils import no_init_weights

from decoder import DECODERS
from module_chain import ModuleChain
from onnx_files import input_names
from scoring import Encoded, torch_logits

# Queries and keys a little larger than unit size: attention then prefers some tokens over others,
# and a pair's score depends on its words and not on its length alone.
WEIGHT_GAIN = 1.4
# Real rerankers' logits spread over several units around zero.
LOGIT_SPREAD = 1.8
WORDS = ("word", "tok_", "embed_tokens")


@dataclass(frozen=True)
class SpecialIds:
    """Token ids that a configuration must name."""

    pad: int
    cls: int
    sep: int


def tiny_config(architecture: str, vocab_size: int, special: SpecialIds) -> PretrainedConfig:
    """A configuration of two layers of 32 units, with what makes each architecture particular.

    Windows and position buckets are small enough that pairs of 64 tokens go beyond them.
    """
    common = {
        "vocab_size": vocab_size,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "num_labels": 1,
        "pad_token_id": special.pad,
    }
    if architecture == "bert":
        return BertConfig(**common, max_position_embeddings=256, type_vocab_size=2)
    if architecture == "electra":
        # Embeddings as wide as the layers, as in the base size.
        return ElectraConfig(
            **common, embedding_size=32, max_position_embeddings=256, type_vocab_size=2
        )
    if architecture == "xlm-roberta":
        # Positions start after the padding id, hence two more than the longest pair.
        return XLMRobertaConfig(
            **common,
            max_position_embeddings=258,
            type_vocab_size=1,
            bos_token_id=special.cls,
            eos_token_id=special.sep,
        )
    if architecture in ("modernbert", "ettin"):
        return ModernBertConfig(
            **common,
            max_position_embeddings=256,
            global_attn_every_n_layers=2,
            local_attention=16,
            classifier_pooling="mean",
            cls_token_id=special.cls,
            sep_token_id=special.sep,
            bos_token_id=special.cls,
            eos_token_id=special.sep,
            reference_compile=False,
        )
    if architecture == "deberta-v2":
        return DebertaV2Config(
            **common,
            max_position_embeddings=256,
            type_vocab_size=2,
            relative_attention=True,
            position_buckets=16,
            max_relative_positions=-1,
            norm_rel_ebd="layer_norm",
            pos_att_type=["p2c", "c2p"],
            share_att_key=True,
            position_biased_input=False,
        )
    if architecture == "qwen3":
        return Qwen3Config(
            **{**common, "num_labels": 1},
            num_key_value_heads=2,
            head_dim=8,
            max_position_embeddings=1_024,
            tie_word_embeddings=False,
        )
    decoder = {"num_key_value_heads": 2, "max_position_embeddings": 1_024}
    if architecture == "qwen2":
        return Qwen2Config(**common, **decoder, tie_word_embeddings=False)
    if architecture == "llama":
        return LlamaConfig(**common, **decoder, tie_word_embeddings=False)
    if architecture == "gemma":
        # Its output is its input embeddings, and its states are scaled on the way in.
        return GemmaConfig(**common, **decoder, head_dim=8, tie_word_embeddings=True)
    raise ValueError(f"unknown architecture {architecture!r}")


def build(config: PretrainedConfig, seed: int) -> torch.nn.Module:
    """A model in evaluation mode with weights drawn from `seed`; a decoder is a language model."""
    config.num_labels = 1
    kind = AutoModelForSequenceClassification
    if config.model_type in DECODERS:
        kind = AutoModelForCausalLM
    with no_init_weights():
        model = kind.from_config(config, attn_implementation="eager")
    return drawn(model, seed)


def build_chain(config: PretrainedConfig, seed: int) -> ModuleChain:
    """An encoder with the head of the ettin rerankers, drawn from `seed`."""
    size = config.hidden_size
    with no_init_weights():
        encoder = AutoModel.from_config(config, attn_implementation="eager")
    norm = torch.nn.LayerNorm(size)
    dense = torch.nn.Sequential(torch.nn.Linear(size, size, bias=False), torch.nn.GELU())
    last = torch.nn.Sequential(torch.nn.Linear(size, 1), torch.nn.Identity())
    model = drawn(ModuleChain(encoder, "cls", torch.nn.Sequential(dense, norm, last)), seed)
    with torch.no_grad():
        norm.weight.add_(1.0)
    return model


def drawn(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """The model in evaluation mode, its weights drawn anew."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            is_norm = "norm" in name.lower()
            if parameter.dim() == 1:
                parameter.normal_(0.0, 0.05, generator=generator)
                if is_norm and name.endswith("weight"):
                    parameter.add_(1.0)
            elif "embed" in name:
                # Positions and types weigh less than words.
                scale = 1.0 if any(part in name for part in WORDS) else 0.3
                parameter.normal_(0.0, scale, generator=generator)
            else:
                # Divided by the root of the fan-in, activations neither grow nor fade with depth.
                scale = WEIGHT_GAIN / math.sqrt(parameter.shape[1])
                parameter.normal_(0.0, scale, generator=generator)
    return model.eval()


def spread_logits(model: torch.nn.Module, pairs: list[Encoded]) -> None:
    """Scales the last layer so that the logits of `pairs` have mean 0 and spread LOGIT_SPREAD."""
    heads = [
        module
        for module in model.modules()
        if isinstance(module, torch.nn.Linear) and module.out_features == 1
    ]
    if len(heads) != 1:
        raise ValueError(f"expected one layer with a single output, found {len(heads)}")
    [head] = heads
    with torch.no_grad():
        head.bias.zero_()
        logits = torch_logits(model, input_names(model), pairs)
        scale = LOGIT_SPREAD / float(np.std(logits))
        head.weight.mul_(scale)
        head.bias.fill_(-scale * float(np.mean(logits)))


def scale_last_norm(model: torch.nn.Module, by: float) -> None:
    """Makes all logits of a language model `by` times as large. Gemma adds 1 to the weights of its norms."""
    weight = model.model.norm.weight
    offset = 1 if model.config.model_type == "gemma" else 0
    with torch.no_grad():
        weight.copy_((weight + offset) * by - offset)

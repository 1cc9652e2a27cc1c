"""Shapes of rerankers, as in the configuration files of the models that they are named after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tokenizers import Tokenizer
from transformers import (
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


@dataclass(frozen=True)
class Shape:
    """A configuration. Its vocabulary is the tokenizer's if it names none."""

    config: type[PretrainedConfig]
    values: dict[str, Any]
    # Tokens of the tokenizer whose ids the configuration wants, by their names there.
    tokens: dict[str, str]
    positions: int = 512
    # The positions of a model that starts to count after the padding's id.
    positions_before: int = 0

    def configuration(self, tokenizer: Tokenizer) -> PretrainedConfig:
        ids = {f"{name}_token_id": token_id(tokenizer, token) for name, token in self.tokens.items()}
        known = tokenizer.get_vocab_size()
        config = self.config(
            **{"vocab_size": known, **self.values, **ids},
            max_position_embeddings=self.positions + self.positions_before,
        )
        if known > config.vocab_size:
            raise SystemExit(
                f"the tokenizer has {known} tokens, this shape has {config.vocab_size}: "
                "give --tokenizer the folder of this model's family"
            )
        return config


@dataclass(frozen=True)
class ChainShape(Shape):
    """An encoder with the head of the ettin rerankers."""


@dataclass(frozen=True)
class DecoderShape(Shape):
    """A language model, its prompt, and the words whose logits make its score: one, or one less another."""

    prompt: str = ""
    words: tuple[str, ...] = field(default=())


def token_id(tokenizer: Tokenizer, token: str) -> int:
    found = tokenizer.token_to_id(token)
    if found is None:
        raise SystemExit(f"the tokenizer has no {token}: give --tokenizer the folder of this model's family")
    return found


def layers(size: int, count: int, heads: int, intermediate: int | None = None) -> dict[str, int]:
    return {
        "hidden_size": size,
        "num_hidden_layers": count,
        "num_attention_heads": heads,
        "intermediate_size": intermediate or 4 * size,
    }


def bert(size: int, count: int, heads: int, vocabulary: int | None = 30_522) -> Shape:
    values = layers(size, count, heads)
    if vocabulary is not None:
        values["vocab_size"] = vocabulary
    return Shape(BertConfig, values, {"pad": "[PAD]"})


def xlm_roberta(
    size: int, count: int, heads: int, positions: int, vocabulary: int | None = 250_002
) -> Shape:
    values = {**layers(size, count, heads), "type_vocab_size": 1, "layer_norm_eps": 1e-5}
    if vocabulary is not None:
        values["vocab_size"] = vocabulary
    tokens = {"pad": "<pad>", "bos": "<s>", "eos": "</s>"}
    return Shape(XLMRobertaConfig, values, tokens, positions, positions_before=2)


def ettin(size: int, count: int, heads: int, intermediate: int) -> ChainShape:
    values = {
        **layers(size, count, heads, intermediate),
        "vocab_size": 50_368,
        "reference_compile": False,
    }
    tokens = {"pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "bos": "[CLS]", "eos": "[SEP]"}
    return ChainShape(ModernBertConfig, values, tokens, positions=7_999)


QWEN_PAD = {"pad": "<|endoftext|>"}

SHAPES: dict[str, Shape] = {
    "tiny-bert": bert(32, 2, 4, vocabulary=None),
    "minilm-l6": bert(384, 6, 12),
    "minilm-l12": bert(384, 12, 12),
    "ms-marco-electra-base": Shape(
        ElectraConfig,
        {**layers(768, 12, 12), "vocab_size": 30_522, "embedding_size": 768},
        {"pad": "[PAD]"},
    ),
    "mxbai-rerank-xsmall-v1": Shape(
        DebertaV2Config,
        {
            **layers(384, 12, 6),
            "vocab_size": 128_100,
            "type_vocab_size": 0,
            "relative_attention": True,
            "position_buckets": 256,
            "max_relative_positions": -1,
            "norm_rel_ebd": "layer_norm",
            "pos_att_type": ["p2c", "c2p"],
            "share_att_key": True,
            "position_biased_input": False,
        },
        {"pad": "[PAD]"},
    ),
    "tiny-xlm-roberta": xlm_roberta(32, 2, 4, 512, vocabulary=None),
    # Fast at any length, and as hungry as a large model if pairs are long: attention is all it is.
    "long-xlm-roberta": xlm_roberta(32, 2, 4, 8_192),
    "bge-reranker-base": xlm_roberta(768, 12, 12, 512),
    "bge-reranker-v2-m3": xlm_roberta(1_024, 24, 16, 8_192),
    "ettin-reranker-17m": ettin(256, 7, 4, 384),
    "ettin-reranker-150m": ettin(768, 22, 12, 1_152),
    "tiny-qwen3": DecoderShape(
        Qwen3Config,
        {
            **layers(32, 2, 4, 64),
            "num_key_value_heads": 2,
            "head_dim": 8,
            "tie_word_embeddings": True,
        },
        QWEN_PAD,
        positions=8_192,
        prompt="qwen3-reranker",
        words=("yes", "no"),
    ),
    "qwen3-reranker-0.6b": DecoderShape(
        Qwen3Config,
        {
            **layers(1_024, 28, 16, 3_072),
            "vocab_size": 151_669,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "rope_theta": 1_000_000.0,
            "tie_word_embeddings": True,
        },
        QWEN_PAD,
        positions=8_192,
        prompt="qwen3-reranker",
        words=("yes", "no"),
    ),
    "mxbai-rerank-base-v2": DecoderShape(
        Qwen2Config,
        {
            **layers(896, 24, 14, 4_864),
            "vocab_size": 151_936,
            "num_key_value_heads": 2,
            "rope_theta": 1_000_000.0,
            "tie_word_embeddings": True,
        },
        QWEN_PAD,
        positions=8_192,
        prompt="mxbai-rerank-v2",
        words=("1", "0"),
    ),
    "bge-reranker-v2-gemma": DecoderShape(
        GemmaConfig,
        {
            **layers(2_048, 18, 8, 16_384),
            "vocab_size": 256_000,
            "num_key_value_heads": 1,
            "head_dim": 256,
            "tie_word_embeddings": True,
        },
        {"pad": "<pad>", "bos": "<bos>", "eos": "<eos>"},
        positions=8_192,
        prompt="bge-reranker-gemma",
        words=("Yes",),
    ),
    "ctxl-rerank-v2-1b": DecoderShape(
        LlamaConfig,
        {
            **layers(2_048, 16, 32, 8_192),
            "vocab_size": 128_256,
            "num_key_value_heads": 8,
            "head_dim": 64,
            "rope_theta": 500_000.0,
            "rope_scaling": {
                "rope_type": "llama3",
                "factor": 32.0,
                "high_freq_factor": 4.0,
                "low_freq_factor": 1.0,
                "original_max_position_embeddings": 8_192,
            },
            "tie_word_embeddings": True,
        },
        {"pad": "<|finetune_right_pad_id|>", "bos": "<|begin_of_text|>"},
        positions=32_768,
        prompt="ctxl-rerank-v2",
        words=("!",),
    ),
}

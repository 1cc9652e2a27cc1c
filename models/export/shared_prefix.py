"""Decoders whose graph takes and gives keys and values: what pairs of one query share is computed once.

Step 1 runs the tokens that all documents of a query share, and gives their keys and values. Step 2 runs
the rest of each pair, and reads them. Of the last layer, both compute one token only.
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
from transformers import PretrainedConfig

from decoder import DecoderReranker

# Layouts in which angles depend on a token's own position alone: a prefix then stays as it is.
FIXED_ROTATIONS = ("default", "linear", "llama3", "yarn")


def why_not_shared(config: PretrainedConfig) -> str | None:
    """The reason why a decoder's prefix cannot be computed apart; None if it can."""
    if getattr(config, "use_sliding_window", False):
        return "its layers read a sliding window"
    scaling = getattr(config, "rope_scaling", None) or {}
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind not in FIXED_ROTATIONS:
        return f"its positions are scaled by length ({kind})"
    return None


class SharedPrefixReranker(torch.nn.Module):
    """The weights of a `DecoderReranker` in a graph with a past.

    `attention_mask` covers the past and the new tokens. Positions go on after the tokens of the past that
    it shows. The past has one row for all rows of the batch, or one for each. `kept_tokens` says of how many
    of the new tokens keys and values are given: outputs stay in memory for as long as a run takes.
    """

    def __init__(self, decoder: DecoderReranker) -> None:
        super().__init__()
        self.model = decoder.model
        self.row = decoder.row
        self.config = decoder.config
        attention = self.model.layers[0].self_attn
        self.head_dim = attention.head_dim
        self.kv_heads = self.config.num_key_value_heads
        self.group = self.config.num_attention_heads // self.kv_heads

    @property
    def past_names(self) -> list[str]:
        """Names of the inputs, in order; an output has `present` in place of `past_key_values`."""
        layers = range(len(self.model.layers))
        return [f"past_key_values.{n}.{part}" for n in layers for part in ("key", "value")]

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        kept_tokens: torch.Tensor,
        *past: torch.Tensor,
    ) -> SimpleNamespace:
        kept = kept_tokens[0]
        before = past[0].shape[2]
        length = input_ids.shape[1]
        new = torch.arange(length, device=input_ids.device).unsqueeze(0)
        positions = attention_mask[:, :before].sum(dim=1, keepdim=True) + new
        states = self.model.embed_tokens(input_ids)
        if self.config.model_type == "gemma":
            states = states * torch.tensor(self.config.hidden_size**0.5, dtype=states.dtype)
        cos, sin = self.model.rotary_emb(states, positions)
        hidden = hidden_keys(attention_mask, before, length)
        last = attention_mask[:, before:].sum(dim=1) - 1
        rows = torch.arange(input_ids.shape[0], device=input_ids.device)

        present: list[torch.Tensor] = []
        for number, layer in enumerate(self.model.layers):
            ends = number == len(self.model.layers) - 1
            normed = layer.input_layernorm(states)
            keys, values = self.keys_and_values(layer.self_attn, normed, cos, sin)
            present += [keys[:, :, :kept], values[:, :, :kept]]
            keys = with_past(past[2 * number], keys)
            values = with_past(past[2 * number + 1], values)
            if ends:
                # Its other tokens are read by no layer: their keys and values were all that they give.
                pick = (rows, last)
                states, normed = states[pick].unsqueeze(1), normed[pick].unsqueeze(1)
                cos, sin = cos[pick].unsqueeze(1), sin[pick].unsqueeze(1)
                hidden = hidden[pick].unsqueeze(1)
            states = states + self.attend(layer.self_attn, normed, cos, sin, keys, values, hidden)
            states = states + layer.mlp(layer.post_attention_layernorm(states))
        logits = self.model.norm(states)[:, 0] @ self.row.unsqueeze(1)
        return SimpleNamespace(logits=logits, present=present)

    def heads(self, flat: torch.Tensor, norm: torch.nn.Module | None) -> torch.Tensor:
        """[batch, heads, length, head_dim]"""
        split = flat.view(flat.shape[0], flat.shape[1], -1, self.head_dim)
        return (split if norm is None else norm(split)).transpose(1, 2)

    def keys_and_values(
        self,
        attention: torch.nn.Module,
        normed: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        keys = self.heads(attention.k_proj(normed), getattr(attention, "k_norm", None))
        return rotate(keys, cos, sin), self.heads(attention.v_proj(normed), None)

    def attend(
        self,
        attention: torch.nn.Module,
        normed: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        hidden: torch.Tensor,
    ) -> torch.Tensor:
        queries = self.heads(attention.q_proj(normed), getattr(attention, "q_norm", None))
        queries = rotate(queries, cos, sin) * attention.scaling
        batch, heads, length, size = queries.shape
        # The heads of a group read the same keys: one product for all of them, and no copies.
        grouped = queries.reshape(batch, self.kv_heads, self.group * length, size)
        scores = grouped @ keys.transpose(2, 3)
        scores = scores.view(batch, self.kv_heads, self.group, length, -1)
        weights = torch.softmax(scores + hidden[:, None, None], dim=-1)
        read = weights.view(batch, self.kv_heads, self.group * length, -1) @ values
        read = read.view(batch, heads, length, size).transpose(1, 2)
        return attention.o_proj(read.reshape(batch, length, heads * size))


def hidden_keys(attention_mask: torch.Tensor, before: int, length: int) -> torch.Tensor:
    """[batch, length, keys]: 0 where a new token sees a key; elsewhere so low that it weighs nothing."""
    keys = torch.arange(attention_mask.shape[1], device=attention_mask.device)
    last_seen = torch.arange(length, device=attention_mask.device) + before
    seen = (keys.unsqueeze(0) <= last_seen.unsqueeze(1)) & attention_mask.unsqueeze(1).bool()
    # Within what half precision holds.
    return torch.where(seen, 0.0, -30_000.0)


def with_past(past: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    rows = past.expand(new.shape[0], -1, -1, -1)
    return torch.cat([rows, new], dim=2)


def rotate(states: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    first, second = states.chunk(2, dim=-1)
    turned = torch.cat([-second, first], dim=-1)
    return states * cos.unsqueeze(1) + turned * sin.unsqueeze(1)

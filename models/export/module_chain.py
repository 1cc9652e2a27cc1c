"""Rerankers that sentence-transformers keeps as a chain of modules: encoder, pooling, layers, one number."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel

from weights import load_weights

MODULES_FILE = "modules.json"
POOLINGS = ("cls", "mean")
ACTIVATIONS = {
    "torch.nn.modules.activation.GELU": torch.nn.GELU,
    "torch.nn.modules.activation.ReLU": torch.nn.ReLU,
    "torch.nn.modules.activation.Tanh": torch.nn.Tanh,
    "torch.nn.modules.linear.Identity": torch.nn.Identity,
}


def read_modules(folder: Path) -> list[tuple[str, Path]]:
    """Kind and folder of each module, in order; empty for a folder of another kind."""
    path = folder / MODULES_FILE
    if not path.exists():
        return []
    listed = json.loads(path.read_text(encoding="utf-8"))
    return [(one["type"].rsplit(".", 1)[-1], folder / one["path"]) for one in listed]


def is_chain(folder: Path) -> bool:
    """Whether the scoring head is made of modules behind a pooling, as in the ettin rerankers."""
    return any(kind == "Pooling" for kind, _ in read_modules(folder))


def logit_tokens(folder: Path) -> list[str]:
    """The tokens that say yes and no, by the folder's LogitScore; empty if it has none."""
    for kind, path in read_modules(folder):
        if kind != "LogitScore":
            continue
        config = read_config(path)
        ids = [config.get("true_token_id"), config.get("false_token_id")]
        return [f"id:{one}" for one in ids if one is not None]
    return []


class ModuleChain(torch.nn.Module):
    """An encoder whose pooled state goes through layers that end in one number."""

    def __init__(self, encoder: torch.nn.Module, pooling: str, layers: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = pooling
        self.layers = layers
        self.config = encoder.config

    def forward(self, attention_mask: torch.Tensor, **inputs: torch.Tensor) -> SimpleNamespace:
        states = self.encoder(attention_mask=attention_mask, **inputs).last_hidden_state
        return SimpleNamespace(logits=self.layers(self.pooled(states, attention_mask)))

    def pooled(self, states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        if self.pooling == "cls":
            return states[:, 0]
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(dim=1) / weights.sum(dim=1)


def load_chain(folder: Path, trust_remote_code: bool) -> ModuleChain:
    """Raises ValueError with the reason if a module is one that this script does not know."""
    (first, root), (second, pooling), *rest = read_modules(folder)
    if first != "Transformer" or second != "Pooling" or root != folder / "":
        raise ValueError(f"{folder}: its modules begin with {first}, {second}")
    config = AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
    if hasattr(config, "reference_compile"):
        # torch.compile and the exporter exclude each other.
        config.reference_compile = False
    encoder = load_weights(AutoModel, folder, config, trust_remote_code)
    layers = [load_layer(kind, path) for kind, path in rest]
    last = layers[-1][0] if layers and isinstance(layers[-1], torch.nn.Sequential) else None
    if not isinstance(last, torch.nn.Linear) or last.out_features != 1:
        raise ValueError(f"{folder}: its last module does not give one number")
    return ModuleChain(encoder, read_pooling(pooling), torch.nn.Sequential(*layers)).eval()


def read_pooling(path: Path) -> str:
    config = read_config(path)
    # Before version 5 each way had a field of its own.
    old = [one for one in POOLINGS if config.get(f"pooling_mode_{one}_token{'s' * (one == 'mean')}")]
    found = config.get("pooling_mode", old[0] if len(old) == 1 else None)
    if found not in POOLINGS:
        raise ValueError(f"{path}: the pooling {found} is none of {', '.join(POOLINGS)}")
    return found


def load_layer(kind: str, path: Path) -> torch.nn.Module:
    config = read_config(path)
    if kind == "LayerNorm":
        return filled(torch.nn.LayerNorm(config["dimension"]), path, "norm.")
    if kind != "Dense" or config.get("use_residual"):
        raise ValueError(f"{path}: the module {kind} is not one that can be exported")
    linear = torch.nn.Linear(config["in_features"], config["out_features"], config["bias"])
    activation = ACTIVATIONS.get(config["activation_function"])
    if activation is None:
        raise ValueError(f"{path}: the activation {config['activation_function']} is not known")
    return torch.nn.Sequential(filled(linear, path, "linear."), activation())


def filled(layer: torch.nn.Module, path: Path, prefix: str) -> torch.nn.Module:
    """The layer with its weights; one that the file lacks is an error."""
    weights = load_file(path / "model.safetensors")
    layer.load_state_dict(
        {name.removeprefix(prefix): value.float() for name, value in weights.items()}
    )
    return layer


def read_config(path: Path) -> dict:
    return json.loads((path / "config.json").read_text(encoding="utf-8"))

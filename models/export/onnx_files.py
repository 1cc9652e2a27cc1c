"""Writes ONNX files of a single-logit cross-encoder: fp32 from PyTorch, then fp16 and int8 from fp32."""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import no_telemetry  # noqa: F401 (before onnxruntime)
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16

from shared_prefix import SharedPrefixReranker

# LayerNormalization is one operator from opset 17 on; every runtime we meet knows it.
OPSET = 17
# A protobuf holds at most 2 GiB; what is larger keeps its weights in a file beside it.
INLINE_LIMIT_BYTES = 1_900_000_000
FILE_OF_PRECISION = {
    "fp32": "model.onnx",
    "fp16": "model_fp16.onnx",
    "int8": "model_int8.onnx",
    "w8": "model_w8.onnx",
}
# The exporter fixes shapes it sees as 1, so the example has two rows and an odd length.
EXAMPLE_ROWS = 2
EXAMPLE_TOKENS = 17
EXAMPLE_PAST = 5


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hides what exporter, converter and quantiser say of every model they meet."""
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def input_names(model: torch.nn.Module) -> list[str]:
    """Inputs that change the model's scores, in the order that published exports have them.

    Token types are an input only where the model tells more than one apart.
    """
    names = ["input_ids", "attention_mask"]
    if getattr(model.config, "type_vocab_size", 0) > 1:
        names.append("token_type_ids")
    return names


@dataclass(frozen=True)
class Graph:
    """A model with positional inputs and outputs, and what the exporter must know of them."""

    module: torch.nn.Module
    inputs: dict[str, torch.Tensor]
    outputs: list[str]
    axes: dict[str, dict[int, str]]


class LogitsOnly(torch.nn.Module):
    """The model with positional inputs and one output, which is all that is exported."""

    def __init__(self, model: torch.nn.Module, names: list[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        return self.model(**dict(zip(self.names, tensors, strict=True))).logits


class LogitsAndPresent(torch.nn.Module):
    def __init__(self, model: SharedPrefixReranker) -> None:
        super().__init__()
        self.model = model

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        given = self.model(*tensors)
        return (given.logits, *given.present)


def graph_of(model: torch.nn.Module) -> Graph:
    # Any token but the padding, which may be the first or the last of the vocabulary.
    word = 1 if (model.config.pad_token_id or 0) == 0 else 0
    ids = torch.full((EXAMPLE_ROWS, EXAMPLE_TOKENS), word, dtype=torch.int64)
    if isinstance(model, SharedPrefixReranker):
        return graph_with_past(model, ids)
    names = input_names(model)
    example = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "token_type_ids": torch.zeros_like(ids),
    }
    return Graph(
        module=LogitsOnly(model, names),
        inputs={name: example[name] for name in names},
        outputs=["logits"],
        axes={name: {0: "batch_size", 1: "sequence_length"} for name in names},
    )


def graph_with_past(model: SharedPrefixReranker, ids: torch.Tensor) -> Graph:
    past = torch.zeros(1, model.kv_heads, EXAMPLE_PAST, model.head_dim)
    mask = torch.ones(EXAMPLE_ROWS, EXAMPLE_PAST + EXAMPLE_TOKENS, dtype=torch.int64)
    present = [name.replace("past_key_values", "present") for name in model.past_names]
    return Graph(
        module=LogitsAndPresent(model),
        inputs={
            "input_ids": ids,
            "attention_mask": mask,
            "kept_tokens": torch.tensor([EXAMPLE_PAST]),
            **{name: past for name in model.past_names},
        },
        outputs=["logits", *present],
        axes={
            "input_ids": {0: "batch_size", 1: "sequence_length"},
            "attention_mask": {0: "batch_size", 1: "total_length"},
            **{name: {0: "prefixes", 2: "prefix_length"} for name in model.past_names},
            **{name: {0: "batch_size", 2: "kept_length"} for name in present},
        },
    )


def export_fp32(model: torch.nn.Module, folder: Path) -> Path:
    """Writes `folder/model.onnx` (and `model.onnx_data` where it is large). Returns its path.

    Inputs are int64 [batch, sequence], both axes dynamic; the output is logits, float32 [batch, 1].
    A decoder that shares prefixes takes and gives keys and values beside.
    """
    target = folder / FILE_OF_PRECISION["fp32"]
    folder.mkdir(parents=True, exist_ok=True)
    graph = graph_of(model)
    # The exporter spreads a large model over one file a tensor: it gets a folder of its own.
    with tempfile.TemporaryDirectory(dir=folder) as scratch, quiet():
        raw = Path(scratch) / "raw.onnx"
        with torch.inference_mode():
            torch.onnx.export(
                graph.module.eval(),
                tuple(graph.inputs.values()),
                str(raw),
                input_names=list(graph.inputs),
                output_names=graph.outputs,
                dynamic_axes={**graph.axes, "logits": {0: "batch_size"}},
                opset_version=OPSET,
                dynamo=False,
            )
        save(onnx.load(str(raw)), target)
    return target


def save(model: onnx.ModelProto, target: Path) -> None:
    """Saves a model as one file, or with all weights in `NAME_data` where one file cannot hold it."""
    data = target.with_name(f"{target.name}_data")
    target.unlink(missing_ok=True)
    data.unlink(missing_ok=True)
    large = weight_bytes(model) > INLINE_LIMIT_BYTES
    onnx.save_model(
        model,
        str(target),
        save_as_external_data=large,
        all_tensors_to_one_file=True,
        location=data.name,
        size_threshold=1024,
    )


def weight_bytes(model: onnx.ModelProto) -> int:
    # raw_data first: ByteSize of a proto beyond 2 GiB is refused.
    return sum(len(t.raw_data) or t.ByteSize() for t in model.graph.initializer)


def convert_fp16(source: Path, target: Path) -> None:
    """Half-precision weights and arithmetic; logits stay float32, as in published fp16 files."""
    model = onnx.load(str(source))
    # Shape inference works on serialised protos, which a large model does not fit into.
    too_large = weight_bytes(model) > INLINE_LIMIT_BYTES
    with quiet():
        half = convert_float_to_float16(
            model,
            keep_io_types=True,
            disable_shape_infer=too_large,
            node_block_list=integer_arithmetic(model),
        )
    save(half, target)


def integer_arithmetic(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes whose floats end up as integers, such as DeBERTa's logarithmic distances.

    Rounded to fp16 they land in the neighbouring bucket (0.19 of a logit on a small model), so they
    stay fp32. They are few and see no weights; a shape is where the search for ancestors ends.
    """
    producer = {name: node for node in model.graph.node for name in node.output}
    integers = {onnx.TensorProto.INT32, onnx.TensorProto.INT64}
    pending = [
        name
        for node in model.graph.node
        if node.op_type == "Cast" and node.attribute[0].i in integers
        for name in node.input
    ]
    found: dict[str, None] = {}
    while pending:
        node = producer.get(pending.pop())
        if node is None or node.name in found or node.op_type == "Shape":
            continue
        found[node.name] = None
        pending.extend(node.input)
    return list(found)


def quantize_int8(source: Path, target: Path, *, reduce_range: bool) -> None:
    """Dynamic quantisation with signed weights, one scale a channel.

    Signed weights are what AMX and VNNI multiply fast. CPUs without VNNI saturate when two 8-bit
    products are added into 16 bits: `reduce_range` (7-bit weights) avoids that.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch, quiet():
        # The quantiser writes its intermediate files beside what it reads.
        copy = Path(scratch) / source.name
        for path in (source, source.with_name(f"{source.name}_data")):
            if path.exists():
                link_or_copy(path, Path(scratch) / path.name)
        quantize_dynamic(
            copy,
            target,
            per_channel=True,
            reduce_range=reduce_range,
            weight_type=QuantType.QInt8,
        )


def link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)

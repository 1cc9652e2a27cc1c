"""Writes files with 8-bit weights whose arithmetic stays in floats (MatMulNBits of ONNX Runtime)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

DOMAIN = "com.microsoft"
BITS = 8
# Weights that share one scale. Smaller blocks are finer and larger.
BLOCK = 32
# The number that stands for zero, and the furthest from it.
ZERO = 128
FURTHEST = 127


def quantize_weights(source: Path, target: Path) -> None:
    """Every product with a constant matrix reads it in bytes, one scale per block of a column."""
    # Late: both files would import each other.
    from onnx_files import save

    model = onnx.load(str(source))
    graph = model.graph
    weights = {one.name: one for one in graph.initializer}
    made: dict[str, tuple[str, str, int, int]] = {}
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in weights:
            continue
        name = node.input[1]
        if name not in made:
            matrix = numpy_helper.to_array(weights[name])
            if matrix.ndim != 2 or matrix.dtype != np.float32:
                continue
            made[name] = add_blocks(graph, name, matrix)
        quantised, scales, inner, columns = made[name]
        node.op_type, node.domain = "MatMulNBits", DOMAIN
        del node.input[1:]
        node.input.extend([quantised, scales])
        # No accuracy level: levels above 0 may round activations too, and change the order.
        node.attribute.extend(
            helper.make_attribute(key, value)
            for key, value in {
                "K": inner, "N": columns, "bits": BITS, "block_size": BLOCK
            }.items()
        )
    used = {name for node in graph.node for name in node.input}
    kept = [one for one in graph.initializer if one.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    if all(one.domain != DOMAIN for one in model.opset_import):
        model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    save(model, target)


def add_blocks(
    graph: onnx.GraphProto, name: str, matrix: np.ndarray
) -> tuple[str, str, int, int]:
    """Adds a matrix [inner, columns] in bytes. Returns the names of bytes and scales, and its sizes."""
    inner, columns = matrix.shape
    blocks = -(-inner // BLOCK)
    padded = np.zeros((columns, blocks * BLOCK), dtype=np.float32)
    padded[:, :inner] = matrix.T
    by_block = padded.reshape(columns, blocks, BLOCK)
    scales = np.abs(by_block).max(axis=2) / FURTHEST
    # A block of zeros has any scale.
    scales[scales == 0] = 1.0
    rounded = np.rint(by_block / scales[:, :, None]) + ZERO
    names = f"{name}_w8", f"{name}_w8_scales"
    graph.initializer.extend(
        [
            numpy_helper.from_array(rounded.astype(np.uint8), names[0]),
            numpy_helper.from_array(scales.astype(np.float32).reshape(-1), names[1]),
        ]
    )
    return (*names, inner, columns)

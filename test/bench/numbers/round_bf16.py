"""Rounds to bf16 what the products and normalisations of an ONNX graph read, and sums in 32 bits.

Stands in for a CPU that computes in bf16. Usage: round_bf16.py SOURCE.onnx TARGET.onnx, with the packages of
models/export/requirements.txt. Beside the source as model_fp16.onnx it is a row of `npm run bench -- numbers`.
"""

from __future__ import annotations

import sys

import onnx
from onnx import TensorProto, helper

READERS = {"MatMul", "Gemm", "LayerNormalization"}


def rounded(model: onnx.ModelProto) -> onnx.ModelProto:
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    constants |= {name for node in graph.node if node.op_type == "Constant" for name in node.output}
    read = {name for node in graph.node if node.op_type in READERS for name in node.input}
    nodes = []
    for node in graph.node:
        nodes.append(node)
        for at, name in enumerate(node.output):
            if name not in read - constants:
                continue
            node.output[at] = f"{name}/wide"
            nodes.append(helper.make_node("Cast", [f"{name}/wide"], [f"{name}/bf16"], to=TensorProto.BFLOAT16))
            nodes.append(helper.make_node("Cast", [f"{name}/bf16"], [name], to=TensorProto.FLOAT))
    del graph.node[:]
    graph.node.extend(nodes)
    return model


if __name__ == "__main__":
    source, target = sys.argv[1:]
    onnx.save(rounded(onnx.load(source)), target)

import type { OnnxGraph, OnnxNode } from "./onnx-graph.js";

/** The graph without the nodes that lead to no output. */
export function withoutUnused(
  graph: Pick<OnnxGraph, "outputs">,
  nodes: readonly OnnxNode[],
): OnnxNode[] {
  const used = new Set(graph.outputs);
  const kept: OnnxNode[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => used.has(output))) continue;
    for (const input of node.inputs) used.add(input);
    kept.push(node);
  }
  return kept.toReversed();
}

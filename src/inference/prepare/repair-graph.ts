import { rewrite } from "./graph/protobuf.js";

/**
 * ONNX Runtime 1.30 writes the weights of a subgraph (the branch of an `If`, as DeBERTa-v2 exports
 * have them) twice when weights go into a file of their own, and then refuses to load what it wrote:
 * "initializer name is not unique". This drops the second of each. Field numbers:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
const MODEL = { graph: 7 } as const;
const GRAPH = { node: 1, initializer: 5 } as const;
const NODE = { attribute: 5 } as const;
const ATTRIBUTE = { graph: 6, graphs: 11 } as const;
const TENSOR = { name: 8 } as const;

/**
 * @param model an ONNX file, its weights in another
 * @returns the same bytes if nothing was written twice
 * @throws RangeError if the bytes are no protobuf message
 */
export function dropRepeatedInitializers(model: Buffer): Buffer {
  return rewrite(model, { [MODEL.graph]: repairGraph });
}

function repairGraph(graph: Buffer): Buffer {
  const seen = new Set<string>();
  return rewrite(graph, {
    [GRAPH.initializer]: (tensor) => {
      const name = nameOf(tensor);
      if (seen.has(name)) return undefined;
      seen.add(name);
      return tensor;
    },
    [GRAPH.node]: (node) =>
      rewrite(node, {
        [NODE.attribute]: (attribute) =>
          rewrite(attribute, {
            [ATTRIBUTE.graph]: repairGraph,
            [ATTRIBUTE.graphs]: repairGraph,
          }),
      }),
  });
}

function nameOf(tensor: Buffer): string {
  let name = "";
  rewrite(tensor, {
    [TENSOR.name]: (content) => {
      name = content.toString("utf8");
      return content;
    },
  });
  return name;
}

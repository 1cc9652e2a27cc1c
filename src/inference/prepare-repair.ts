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

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** What becomes of the content of a field: other content, or undefined where it goes. */
type Change = (content: Buffer) => Buffer | undefined;

/**
 * @param model an ONNX file, its weights in another
 * @returns the same bytes where nothing was written twice
 * @throws RangeError where the bytes are no protobuf message
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

/** Copies a message, field by field, changing the content of those that `changes` names. */
function rewrite(message: Buffer, changes: Readonly<Record<number, Change>>): Buffer {
  const parts: Buffer[] = [];
  let changed = false;
  let position = 0;
  while (position < message.length) {
    const start = position;
    const tag = readVarint(message, position);
    position = tag.end;
    const wire = tag.value & 7;
    const change = changes[tag.value >>> 3];
    if (wire !== WIRE.bytes) {
      position = skip(message, position, wire);
      parts.push(message.subarray(start, position));
      continue;
    }
    const length = readVarint(message, position);
    position = length.end + length.value;
    if (position > message.length) throw new RangeError("a field ends after its message");
    const content = message.subarray(length.end, position);
    const replaced = change === undefined ? content : change(content);
    if (replaced === content) {
      parts.push(message.subarray(start, position));
      continue;
    }
    changed = true;
    if (replaced === undefined) continue;
    parts.push(message.subarray(start, tag.end), varint(replaced.length), replaced);
  }
  return changed ? Buffer.concat(parts) : message;
}

function skip(message: Buffer, position: number, wire: number): number {
  switch (wire) {
    case WIRE.varint:
      return readVarint(message, position).end;
    case WIRE.fixed64:
      return position + 8;
    case WIRE.fixed32:
      return position + 4;
    default:
      throw new RangeError(`wire type ${wire} at byte ${position}`);
  }
}

/** Exact up to 2^53: tags and lengths; a larger value is only passed over. */
function readVarint(message: Buffer, position: number): { value: number; end: number } {
  let value = 0;
  let factor = 1;
  for (let end = position; end < message.length; end += 1) {
    const byte = message.readUInt8(end);
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end: end + 1 };
    factor *= 128;
  }
  throw new RangeError("a number ends after its message");
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

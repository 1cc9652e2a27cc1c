import { open, readFile, writeFile, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SaveTarget } from "../session/session-options.js";
import { bytesField, fieldsOf, varintField, WIRE, type Field } from "./graph/protobuf.js";

/** Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 */
const MODEL = { graph: 7 } as const;
const GRAPH = { initializer: 5 } as const;
const TENSOR = { raw: 9, externalData: 13, location: 14 } as const;
const ENTRY = { key: 1, value: 2 } as const;
const EXTERNAL = 1;
/** Smaller tensors stay inside the graph: a page of their own would save nothing. */
const MIN_MOVED_BYTES = 1_024;
/** Weights begin at a cache line, so that they can be used where they are mapped. */
const ALIGNED_BYTES = 64;

/**
 * Writes the graph of an ONNX file, and its weights into a file beside it, as they are: what a runtime maps from
 * there, all lanes of a host share.
 *
 * @throws RangeError if the bytes are no model; what the file system refuses
 */
export async function moveWeights(onnxPath: string, save: SaveTarget): Promise<void> {
  const model = await readFile(onnxPath);
  const data = await open(join(dirname(save.onnxPath), save.dataName), "wx");
  try {
    const weights = new WeightsFile(data, save.dataName);
    const changed = await changeFields(model, MODEL.graph, async (graph) =>
      changeFields(graph, GRAPH.initializer, async (tensor) => await weights.move(tensor)),
    );
    await writeFile(save.onnxPath, changed, { flag: "wx" });
  } finally {
    await data.close();
  }
}

/** A file of weights that grows by one tensor after the other. */
class WeightsFile {
  readonly #file: FileHandle;
  readonly #name: string;
  #bytes = 0;

  constructor(file: FileHandle, name: string) {
    this.#file = file;
    this.#name = name;
  }

  /** @returns the tensor without its numbers, and where they are now; the same one if it is small */
  async move(tensor: Buffer): Promise<Buffer> {
    const fields = [...fieldsOf(tensor)];
    const raw = fields.find(({ number }) => number === TENSOR.raw)?.content;
    if (raw === undefined || raw.length < MIN_MOVED_BYTES) return tensor;
    const offset = Math.ceil(this.#bytes / ALIGNED_BYTES) * ALIGNED_BYTES;
    for (let at = 0; at < raw.length;) {
      at += (await this.#file.write(raw, at, raw.length - at, offset + at)).bytesWritten;
    }
    this.#bytes = offset + raw.length;
    return Buffer.concat([
      ...fields.filter(({ number }) => number !== TENSOR.raw).map(({ whole }) => whole),
      entry("location", this.#name),
      entry("offset", String(offset)),
      entry("length", String(raw.length)),
      varintField(TENSOR.location, EXTERNAL),
    ]);
  }
}

function entry(key: string, value: string): Buffer {
  return bytesField(
    TENSOR.externalData,
    Buffer.concat([bytesField(ENTRY.key, key), bytesField(ENTRY.value, value)]),
  );
}

/** Copies a message, changing one kind of its fields. */
async function changeFields(
  message: Buffer,
  wanted: number,
  change: (content: Buffer) => Promise<Buffer>,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  const isWanted = ({ number, wire }: Field): boolean => number === wanted && wire === WIRE.bytes;
  for (const field of fieldsOf(message)) {
    parts.push(isWanted(field) ? bytesField(wanted, await change(field.content)) : field.whole);
  }
  return Buffer.concat(parts);
}

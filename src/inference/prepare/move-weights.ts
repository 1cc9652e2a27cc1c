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
/** The fields that say where a tensor's numbers are. */
const PLACE_FIELDS: ReadonlySet<number> = new Set([
  TENSOR.raw,
  TENSOR.externalData,
  TENSOR.location,
]);
/** Smaller tensors stay inside the graph: a page of their own would save nothing. */
const MIN_MOVED_BYTES = 1_024;
/** Held in memory while weights are copied. */
const COPIED_BYTES = 8 * 1024 * 1024;
/** Weights begin at a cache line, so that they can be used where they are mapped. */
const ALIGNED_BYTES = 64;

/**
 * Writes the graph of an ONNX file, and its weights into one file beside it, as they are: what a runtime maps from
 * there, all lanes of a host share. Weights that lie outside the graph already are copied.
 *
 * @throws RangeError if the bytes are no model, or a file of weights is too short; what the file system refuses
 */
export async function moveWeights(onnxPath: string, save: SaveTarget): Promise<void> {
  const model = await readFile(onnxPath);
  const sources = new SourceFiles(dirname(onnxPath));
  const data = await open(join(dirname(save.onnxPath), save.dataName), "wx");
  try {
    const weights = new WeightsFile(data, save.dataName);
    const move = async (tensor: Buffer): Promise<Buffer> => await weights.move(tensor, sources);
    const changed = await changeFields(model, MODEL.graph, async (graph) =>
      changeFields(graph, GRAPH.initializer, move),
    );
    await writeFile(save.onnxPath, changed, { flag: "wx" });
  } finally {
    await Promise.all([data.close(), sources.close()]);
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

  /** @returns the tensor without its numbers, and where they are now; the same one if it holds few */
  async move(tensor: Buffer, sources: SourceFiles): Promise<Buffer> {
    const fields = [...fieldsOf(tensor)];
    const raw = fields.find(({ number }) => number === TENSOR.raw)?.content;
    const outside = placeOutside(fields);
    if (outside === undefined && (raw?.length ?? 0) < MIN_MOVED_BYTES) return tensor;
    const offset = Math.ceil(this.#bytes / ALIGNED_BYTES) * ALIGNED_BYTES;
    this.#bytes = offset;
    if (outside === undefined) await this.#append(raw ?? Buffer.alloc(0));
    else for await (const piece of sources.read(outside)) await this.#append(piece);
    return Buffer.concat([
      ...fields.filter(({ number }) => !PLACE_FIELDS.has(number)).map(({ whole }) => whole),
      entry("location", this.#name),
      entry("offset", String(offset)),
      entry("length", String(this.#bytes - offset)),
      varintField(TENSOR.location, EXTERNAL),
    ]);
  }

  async #append(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#bytes);
      at += bytesWritten;
      this.#bytes += bytesWritten;
    }
  }
}

/** Where a tensor's numbers lie in a file beside the graph. */
interface PlaceOutside {
  /** The file, as the graph spells it: relative to the graph's folder. */
  readonly location: string;
  readonly offset: number;
  /** Undefined: up to the file's end. */
  readonly length: number | undefined;
}

/** The files of weights beside a graph: each is opened once. */
class SourceFiles {
  readonly #folder: string;
  readonly #open = new Map<string, FileHandle>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws RangeError if the file ends before the tensor does */
  async *read({ location, offset, length }: PlaceOutside): AsyncGenerator<Buffer, void, undefined> {
    const file = await this.#file(location);
    const { size } = await file.stat();
    const end = length === undefined ? size : offset + length;
    if (end > size) throw new RangeError(`${location} has ${size} of ${end} bytes`);
    const buffer = Buffer.allocUnsafe(Math.min(COPIED_BYTES, Math.max(0, end - offset)));
    for (let at = offset; at < end;) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - at), at);
      if (bytesRead === 0) throw new RangeError(`${location} became shorter as it was read`);
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(async (file) => await file.close()));
  }

  async #file(location: string): Promise<FileHandle> {
    const file = this.#open.get(location) ?? (await open(join(this.#folder, location), "r"));
    this.#open.set(location, file);
    return file;
  }
}

/** @returns undefined if the numbers lie within the graph */
function placeOutside(fields: readonly Field[]): PlaceOutside | undefined {
  const entries = new Map<string, string>();
  for (const { number, content } of fields) {
    if (number !== TENSOR.externalData) continue;
    const parts = new Map([...fieldsOf(content)].map((part) => [part.number, part.content]));
    entries.set(String(parts.get(ENTRY.key)), String(parts.get(ENTRY.value)));
  }
  const location = entries.get("location");
  if (location === undefined) return undefined;
  const length = entries.get("length");
  return {
    location,
    offset: Number(entries.get("offset") ?? 0),
    length: length === undefined ? undefined : Number(length),
  };
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

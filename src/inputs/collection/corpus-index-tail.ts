import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { z } from "zod";
import { MAX_DIRECTORY_BITS, readExactly, RECORD_BYTES } from "./corpus-index-file.js";

/** Changed when the layout or the meaning of a field changes: older files are built again. */
const MAGIC = Buffer.from("RMCORPU2");
const MAGIC_OF_VERSION_1 = Buffer.from("RMCORPUS");
const TRAILER_BYTES = 20;
const ENTRY_BYTES = 8;
const COUNT_BYTES = 4;
/** The largest directory is 2 MiB; a hundred problems and a path take a few tens of kilobytes. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

const count = z.int().min(0);

const metadataSchema = z.object({
  /** The corpus as it was when indexed: another size or time, and the index is stale. */
  source: z.object({ path: z.string(), sizeBytes: count, mtimeNs: z.string() }),
  format: z.enum(["jsonl", "tsv"]),
  documents: count.max(2 ** 32 - 1),
  directoryBits: count.max(MAX_DIRECTORY_BITS),
  /** True if the offsets point into a decompressed copy, not into the corpus itself. */
  compressed: z.boolean(),
  /** Bytes of the file that the offsets point into. */
  dataBytes: count,
  /** Bytes of the longest line that holds a document. */
  longestLineBytes: count,
  problemCount: count,
  /** The first of the lines that hold no document. */
  problems: z.array(z.object({ lineNumber: count, code: z.string(), message: z.string() })),
});

export type IndexMetadata = z.infer<typeof metadataSchema>;
/** A line of the corpus that holds no document. */
export type CorpusProblem = IndexMetadata["problems"][number];

/** The place and the size of each bucket, as the directory gives them. */
export interface IndexDirectory {
  /** The first record of each bucket, and the number of all records. */
  readonly firsts: Uint32Array;
  /** CRC-32 of the records of each bucket. */
  readonly sums: Uint32Array;
}

export interface IndexTail {
  readonly metadata: IndexMetadata;
  readonly directory: IndexDirectory;
}

/** Metadata, directory and trailer: what follows the records. */
export function encodeTail({ metadata, directory: { firsts, sums } }: IndexTail): Buffer {
  const entries = Buffer.alloc(sums.length * ENTRY_BYTES + COUNT_BYTES);
  firsts.forEach((first, bucket) => {
    entries.writeUInt32BE(first, bucket * ENTRY_BYTES);
    const sum = sums[bucket];
    if (sum !== undefined) entries.writeUInt32BE(sum, bucket * ENTRY_BYTES + 4);
  });
  const json = Buffer.from(JSON.stringify(metadata));
  const body = Buffer.concat([json, entries]);
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32BE(crc32(body), 0);
  trailer.writeUInt32BE(json.length, 4);
  trailer.writeUInt32BE(body.length, 8);
  MAGIC.copy(trailer, 12);
  return Buffer.concat([body, trailer]);
}

/**
 * Reads what follows the records; nothing of it is believed before its sum is right.
 *
 * @returns undefined for an index that another version wrote
 * @throws Error that says why this is no whole index
 */
export async function readTail(file: FileHandle): Promise<IndexTail | undefined> {
  const { size } = await file.stat();
  if (size < TRAILER_BYTES) throw new Error("it is cut short");
  const trailer = await readExactly(file, size - TRAILER_BYTES, TRAILER_BYTES);
  const magic = trailer.subarray(12);
  if (magic.equals(MAGIC_OF_VERSION_1)) return undefined;
  const [jsonBytes, bodyBytes] = [trailer.readUInt32BE(4), trailer.readUInt32BE(8)];
  const bodyStart = size - TRAILER_BYTES - bodyBytes;
  if (!magic.equals(MAGIC) || bodyStart < 0 || bodyBytes > MAX_BODY_BYTES) {
    throw new Error("its end is not that of an index");
  }
  const body = await readExactly(file, bodyStart, bodyBytes);
  if (crc32(body) !== trailer.readUInt32BE(0)) throw new Error("a checksum of it is wrong");
  const metadata = metadataSchema.parse(JSON.parse(body.toString("utf8", 0, jsonBytes)));
  const directory = decodeDirectory(body.subarray(jsonBytes), metadata);
  if (directory === undefined || metadata.documents * RECORD_BYTES !== bodyStart) {
    throw new Error("its parts do not fit each other");
  }
  return { metadata, directory };
}

/** @returns undefined for one that does not fit what the metadata says */
function decodeDirectory(
  entries: Buffer,
  { directoryBits, documents }: IndexMetadata,
): IndexDirectory | undefined {
  const buckets = 2 ** directoryBits;
  if (entries.length !== buckets * ENTRY_BYTES + COUNT_BYTES) return undefined;
  const firsts = new Uint32Array(buckets + 1);
  const sums = new Uint32Array(buckets);
  for (let bucket = 0; bucket <= buckets; bucket += 1) {
    const first = entries.readUInt32BE(bucket * ENTRY_BYTES);
    if (first < (firsts[bucket - 1] ?? 0)) return undefined;
    firsts[bucket] = first;
    if (bucket < buckets) sums[bucket] = entries.readUInt32BE(bucket * ENTRY_BYTES + 4);
  }
  return firsts[buckets] === documents ? { firsts, sums } : undefined;
}

import { hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { CorpusFormat } from "./corpus-document.js";

/**
 * The index of a corpus, as a file (all numbers big-endian):
 *
 *     records     16 bytes per document, ordered by hash: hash 6, offset 6, length 4
 *     directory   4 bytes per bucket and one more: the first record whose hash falls into the bucket
 *     metadata    JSON, `IndexMetadata`
 *     trailer     length of the metadata 4, `MAGIC` 8
 *
 * A bucket is the upper `directoryBits` bits of a hash. The hash is the first 48 bits of an id's
 * SHA-1: a whole number that a double holds, spread evenly whatever the ids look like. Two ids may
 * share one; whoever looks up compares the id in the corpus.
 */
export const RECORD_BYTES = 16;
export const HASH_BITS = 48;
export const DIRECTORY_ENTRY_BYTES = 4;
export const TRAILER_BYTES = 12;
export const MAGIC = Buffer.from("RMCORPUS");
/** Raised when the layout or the meaning of a field changes: older files are built again. */
export const INDEX_VERSION = 1;

/** A bucket holds this many records on average, up to the largest directory: 1 KiB, one read. */
const RECORDS_A_BUCKET = 64;
/** The directory is held in memory: 1 MiB at the most, however large the corpus. */
const MAX_DIRECTORY_BITS = 18;

/** The place of a document's line in the data file. */
export interface IndexRecord {
  readonly hash: number;
  readonly offset: number;
  readonly length: number;
}

/** A line of the corpus that holds no document. */
export interface CorpusProblem {
  readonly lineNumber: number;
  readonly code: string;
  readonly message: string;
}

export interface IndexMetadata {
  readonly version: number;
  /** The corpus as it was when indexed: another size or time, and the index is stale. */
  readonly source: { readonly path: string; readonly sizeBytes: number; readonly mtimeNs: string };
  readonly format: CorpusFormat;
  readonly documents: number;
  readonly directoryBits: number;
  /** True if the offsets point into a decompressed copy, not into the corpus itself. */
  readonly compressed: boolean;
  /** Bytes of the file that the offsets point into. */
  readonly dataBytes: number;
  readonly problemCount: number;
  /** The first of them. */
  readonly problems: readonly CorpusProblem[];
}

export function hashId(id: string): number {
  return hash("sha1", id, "buffer").readUIntBE(0, 6);
}

export function directoryBitsFor(documents: number): number {
  const buckets = Math.max(1, documents / RECORDS_A_BUCKET);
  return Math.min(MAX_DIRECTORY_BITS, Math.ceil(Math.log2(buckets)));
}

export function bucketOf(hash: number, directoryBits: number): number {
  return Math.floor(hash / 2 ** (HASH_BITS - directoryBits));
}

export function writeRecord(record: IndexRecord, into: Buffer, position: number): void {
  into.writeUIntBE(record.hash, position, 6);
  into.writeUIntBE(record.offset, position + 6, 6);
  into.writeUInt32BE(record.length, position + 12);
}

export function readRecord(from: Buffer, position: number): IndexRecord {
  return {
    hash: from.readUIntBE(position, 6),
    offset: from.readUIntBE(position + 6, 6),
    length: from.readUInt32BE(position + 12),
  };
}

/** Directory, metadata and trailer: what follows the records. */
export function encodeTail(metadata: IndexMetadata, directory: Uint32Array): Buffer {
  const entries = Buffer.alloc(directory.length * DIRECTORY_ENTRY_BYTES);
  directory.forEach((first, bucket) => {
    entries.writeUInt32BE(first, bucket * DIRECTORY_ENTRY_BYTES);
  });
  const json = Buffer.from(JSON.stringify(metadata));
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32BE(json.length, 0);
  MAGIC.copy(trailer, 4);
  return Buffer.concat([entries, json, trailer]);
}

/** @returns undefined for a file that is no whole index of this version */
export async function readTail(
  file: FileHandle,
): Promise<{ metadata: IndexMetadata; directory: Uint32Array } | undefined> {
  const { size } = await file.stat();
  if (size < TRAILER_BYTES) return undefined;
  const trailer = await readExactly(file, size - TRAILER_BYTES, TRAILER_BYTES);
  const jsonBytes = trailer.readUInt32BE(0);
  const jsonStart = size - TRAILER_BYTES - jsonBytes;
  if (!trailer.subarray(4).equals(MAGIC) || jsonStart < 0) return undefined;
  const json = await readExactly(file, jsonStart, jsonBytes);
  const metadata = JSON.parse(json.toString()) as IndexMetadata;
  if (metadata.version !== INDEX_VERSION) return undefined;
  const directory = new Uint32Array(2 ** metadata.directoryBits + 1);
  const start = metadata.documents * RECORD_BYTES;
  if (start + directory.length * DIRECTORY_ENTRY_BYTES !== jsonStart) return undefined;
  const entries = await readExactly(file, start, directory.length * DIRECTORY_ENTRY_BYTES);
  for (let bucket = 0; bucket < directory.length; bucket += 1) {
    directory[bucket] = entries.readUInt32BE(bucket * DIRECTORY_ENTRY_BYTES);
  }
  return { metadata, directory };
}

/** @throws RangeError if the file ends before that: it was cut or replaced under us */
export async function readExactly(
  file: FileHandle,
  position: number,
  length: number,
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) {
      throw new RangeError(`the file ends at ${position + done}, before ${position + length}`);
    }
    done += bytesRead;
  }
  return buffer;
}

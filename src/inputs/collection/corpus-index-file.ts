import { hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

/**
 * The index of a corpus, as a file (all numbers big-endian):
 *
 *     records     20 bytes per document, ordered by hash: hash 6, offset 6, length 4, sum of the line 4
 *     metadata    JSON, `IndexMetadata`
 *     directory   8 bytes per bucket: the first record whose hash falls into the bucket, and the sum of
 *                 its records; then the number of all records 4
 *     trailer     sum of metadata and directory 4, length of the metadata 4, of both 4, `MAGIC` 8
 *
 * A bucket is the upper `directoryBits` bits of a hash. The hash is the first 48 bits of an id's
 * SHA-1: a whole number that a double holds, spread evenly whatever the ids look like. Two ids may
 * share one; whoever looks up compares the id in the corpus. Sums are CRC-32: each byte of the file,
 * and of each document's line, lies under one, and is checked before anything is made of it.
 */
export const RECORD_BYTES = 20;
const HASH_BITS = 48;
/** A bucket holds this many records on average, up to the largest directory: 1.3 KB, one read. */
const RECORDS_A_BUCKET = 64;
/** The directory is held in memory: 2 MiB at the most, however large the corpus. */
export const MAX_DIRECTORY_BITS = 18;

/** The place of a document's line in the data file. */
export interface IndexRecord {
  readonly hash: number;
  readonly offset: number;
  readonly length: number;
  /** CRC-32 of the line's bytes. */
  readonly sum: number;
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
  into.writeUInt32BE(record.sum, position + 16);
}

export function readRecord(from: Buffer, position: number): IndexRecord {
  return {
    hash: from.readUIntBE(position, 6),
    offset: from.readUIntBE(position + 6, 6),
    length: from.readUInt32BE(position + 12),
    sum: from.readUInt32BE(position + 16),
  };
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

import { createHash } from "node:crypto";
import type { EncodedPair } from "../core/pair.js";

/** Bytes of a pair's name within its bucket. */
export const FIELD_BYTES = 12;
const BUCKET_BYTES = 4;
const BUCKET_SPAN = 2 ** (8 * BUCKET_BYTES);

/** The place of a pair's logit. */
export interface ScorePlace {
  readonly bucket: number;
  readonly field: Buffer;
}

/**
 * 32 bytes that stand for all that a logit depends on beside the pair.
 *
 * @param parts JSON values; another one anywhere is another scope
 */
export function scoreScope(parts: readonly unknown[]): Buffer {
  return createHash("sha256").update(JSON.stringify(parts)).digest();
}

/**
 * The place of a pair's logit: parts of a SHA-256 over scope, start of the document and ids. A
 * pair is mistaken for another if 96 bits and the bucket's agree: with 10⁸ pairs kept and 10¹²
 * asked for, in one of some 10⁹ such caches.
 *
 * @param buckets 1 … 2^32
 */
export function scorePlace(
  scope: Buffer,
  { ids, secondStart }: EncodedPair,
  buckets: number,
): ScorePlace {
  const digest = createHash("sha256")
    .update(scope)
    .update(Int32Array.of(secondStart))
    .update(ids)
    .digest();
  return {
    bucket: Math.floor((digest.readUInt32LE(0) / BUCKET_SPAN) * buckets),
    field: digest.subarray(BUCKET_BYTES, BUCKET_BYTES + FIELD_BYTES),
  };
}

import type { BatchEncoder } from "../kinds/batch-encoder.js";
import { between } from "./verified-cut.js";

const FIRST_PREFIX_CHARS = 16_384;
/** Longest prefix of a text that is read at once. */
export const MOST_PREFIX_CHARS = 131_072;
/** Characters by which the prefixes that must agree are shorter. */
const ENDS_BEFORE = [0, 1, 2, 3, 5, 8, 13, 21];
/** Tokens that must follow those that are wanted: the end of a prefix must not reach back to them. */
const TOKENS_BEHIND = 256;

/**
 * Reads the first ids of a text from prefixes of it: they are settled if prefixes of several lengths
 * agree on them, each with many tokens more.
 *
 * @returns undefined if no prefix within the bound settles them
 */
export async function readSettledPrefix(
  encoder: BatchEncoder,
  text: string,
  from: number,
  wanted: number,
): Promise<Int32Array | undefined> {
  for (let chars = FIRST_PREFIX_CHARS; chars <= MOST_PREFIX_CHARS; chars *= 2) {
    const settled = await settledBy(encoder, text, from, chars, wanted);
    if (settled !== undefined) return settled;
    if (from + chars >= text.length) return undefined;
  }
  return undefined;
}

async function settledBy(
  encoder: BatchEncoder,
  text: string,
  from: number,
  chars: number,
  wanted: number,
): Promise<Int32Array | undefined> {
  let settled: Int32Array | undefined;
  for (const before of ENDS_BEFORE) {
    const end = between(text, Math.min(from + chars - before, text.length));
    // One after the other: together they would take the memory of a text eight times as long.
    const [ids = new Int32Array()] = await encoder.encodeBatch([text.slice(from, end)]);
    if (ids.length < wanted + TOKENS_BEHIND) return undefined;
    const head = ids.slice(0, wanted);
    if (settled !== undefined && !head.every((id, at) => id === settled?.[at])) return undefined;
    settled = head;
  }
  return settled;
}

import type { BatchEncoder } from "../kinds/batch-encoder.js";

/** Characters that are looked at for a cut. */
const WINDOW_CHARS = 8_192;
/**
 * Characters by which ends of the window lie before it: whatever the text's end does to ids must not
 * reach back to the cut. Close together and apart, so that nothing that repeats fits all.
 */
const ENDS_BEFORE = [0, 1, 2, 3, 5, 8, 13, 21];
/** Cuts tried: more than the characters of a token. */
const MOST_CANDIDATES = 160;
const CANDIDATES_PER_CALL = 8;

export interface ReadPart {
  readonly ids: Int32Array;
  /** End of the part in the text. */
  readonly end: number;
}

/**
 * Finds a cut in a text that shows none by its characters, by asking the tokenizer. A cut is taken only
 * if, for each of several ends of the text far behind it, the ids before and after it, each read by
 * itself, are those of both read together. That holds between two words, and inside a word of BPE
 * between two of its tokens: merges reach no further than a few tokens.
 *
 * @param text well-formed, longer than `from` and a window
 * @returns what lies before the cut; undefined if there is none
 */
export async function readToVerifiedCut(
  encoder: BatchEncoder,
  text: string,
  from: number,
): Promise<ReadPart | undefined> {
  const ends = ENDS_BEFORE.map((before) => between(text, from + WINDOW_CHARS - before));
  const wholes = await encoder.encodeBatch(ends.map((end) => text.slice(from, end)));
  const first = from + WINDOW_CHARS / 2;
  for (let tried = 0; tried < MOST_CANDIDATES; tried += CANDIDATES_PER_CALL) {
    const candidates = Array.from({ length: CANDIDATES_PER_CALL }, (_, at) =>
      between(text, first + tried + at),
    );
    const heads = await encoder.encodeBatch(candidates.map((end) => text.slice(from, end)));
    for (const [at, ids] of heads.entries()) {
      const cut = candidates[at] ?? from;
      if (!wholes.every((whole) => beginsWith(whole, ids))) continue;
      const tails = await encoder.encodeBatch(ends.map((end) => text.slice(cut, end)));
      const fits = tails.every((tail, end) => equals(wholes[end]?.subarray(ids.length), tail));
      if (fits) return { ids, end: cut };
    }
  }
  return undefined;
}

/** `at`, or the place before it if `at` lies inside a surrogate pair. */
export function between(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit < 0xe000 ? at - 1 : at;
}

export function beginsWith(whole: Int32Array, head: Int32Array): boolean {
  return head.length <= whole.length && equals(whole.subarray(0, head.length), head);
}

function equals(a: Int32Array | undefined, b: Int32Array): boolean {
  return a !== undefined && a.length === b.length && a.every((id, at) => id === b[at]);
}

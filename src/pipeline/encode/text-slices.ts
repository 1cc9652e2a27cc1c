/** Texts tokenised between two checks of the signal: bounds what a cancelled job still costs. */
const TEXTS_PER_CALL = 64;
/**
 * Characters of one slice, unless one text has more: a tokenizer's thread gets a copy of them, and a
 * job of megabyte documents must not be copied whole.
 */
const CALL_CHARS = 1_048_576;

/** `texts` in slices that a tokenizer is given in one call. */
export function* textSlices(texts: readonly string[]): Generator<string[], void, undefined> {
  let slice: string[] = [];
  let chars = 0;
  for (const text of texts) {
    const full = slice.length === TEXTS_PER_CALL || chars + text.length > CALL_CHARS;
    if (full && slice.length > 0) {
      yield slice;
      slice = [];
      chars = 0;
    }
    slice.push(text);
    chars += text.length;
  }
  if (slice.length > 0) yield slice;
}

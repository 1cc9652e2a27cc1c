import { buildDoubleArray } from "../../src/tokenizers/kinds/unigram/double-array.js";

/**
 * sentencepiece's precompiled charsmap, as `tokenizer.json` has it: base64 of the size of a double
 * array, the array, and the replacements, each ended by a NUL.
 *
 * @param replacements what is replaced, and by what
 */
export function charsmap(replacements: Readonly<Record<string, string>>): string {
  const entries = Object.entries(replacements).sort(([a], [b]) => (a < b ? -1 : 1));
  const keys = entries.map(([from]) => Buffer.from(from));
  const texts = entries.map(([, to]) => Buffer.from(`${to}\0`));
  const places = [0, ...ends(texts)].slice(0, -1);
  const units = buildDoubleArray(
    Buffer.concat(keys),
    Int32Array.from(ends(keys)),
    Int32Array.from(places),
  );
  if (units === undefined) throw new RangeError("too many replacements");
  const size = Buffer.alloc(4);
  size.writeUInt32LE(units.byteLength);
  return Buffer.concat([size, Buffer.from(units.buffer), ...texts]).toString("base64");
}

function ends(parts: readonly Buffer[]): number[] {
  let end = 0;
  return parts.map(({ length }) => (end += length));
}

/**
 * Numbers as the Rust library reads them. serde_json divides the digits, rounded to a double, by a
 * power of ten: with more than 15 digits that may be another double than the nearest one, by which
 * sums that are almost equal can change places.
 */

const MAX_SIGNIFICAND = 2n ** 64n - 1n;
/** Exponent of the largest power of ten in its table. */
const MAX_POWER = 308;

/** @param text a number of JSON */
export function readRustNumber(text: string): number {
  const [mantissa = "", exponentText = "0"] = text.replace(/^-/, "").split(/[eE]/);
  const [whole = "", fraction = ""] = mantissa.split(".");
  let significand = 0n;
  let exponent = Number(exponentText);
  let full = false;
  for (const [index, digit] of Array.from(whole + fraction).entries()) {
    const isWhole = index < whole.length;
    const next = significand * 10n + BigInt(digit);
    full ||= next > MAX_SIGNIFICAND;
    // Digits that do not fit are dropped; those of the whole part still count as places.
    if (full) exponent += isWhole ? 1 : 0;
    else {
      significand = next;
      exponent -= isWhole ? 0 : 1;
    }
  }
  let value = Number(significand);
  while (exponent < -MAX_POWER && value !== 0) {
    value /= Number(`1e${MAX_POWER}`);
    exponent += MAX_POWER;
  }
  const power = Number(`1e${Math.abs(exponent)}`);
  value = exponent < 0 ? value / power : value * power;
  return text.startsWith("-") ? -value : value;
}

const NUMBER_AT_END_OF_PAIR = /,\s*(-?\d[\d.eE+-]*)\s*\]/g;

/**
 * Finds how numbers are written in a file's text: those that end a pair `["piece", number]`.
 *
 * @param values the pairs' numbers, in the file's order
 * @returns them as the Rust library reads them; undefined if the text does not hold them so
 */
export function readPairNumbers(text: string, values: Float64Array): Float64Array | undefined {
  const read = new Float64Array(values.length);
  const matches = text.slice(text.indexOf('"vocab"')).matchAll(NUMBER_AT_END_OF_PAIR);
  let found = 0;
  for (const [, written = ""] of matches) {
    if (found === values.length) break;
    // A piece may look like the end of a pair.
    if (Number(written) !== values[found]) continue;
    read[found] = readRustNumber(written);
    found += 1;
  }
  return found === values.length ? read : undefined;
}

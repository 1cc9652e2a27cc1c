/** Languages by their ISO 639 codes, as options name them. */
import { RankmillError } from "../../src/core/errors.js";

const NAMES = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });
const CODE = /^[a-z]{2,3}$/;

/**
 * @returns the code in lower case
 * @throws RankmillError `invalid_option` if there is no such language
 */
export function languageCode(given: string): string {
  const code = given.toLowerCase();
  if (CODE.test(code) && NAMES.of(code) !== undefined) return code;
  throw new RankmillError(
    "invalid_option",
    `--language: "${given}" is no ISO 639 code: write en, de, zh or mul`,
  );
}

export function languageName(code: string): string {
  return NAMES.of(code) ?? code;
}

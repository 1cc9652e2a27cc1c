/**
 * JSON that holds a checksum of itself, for files that are kept and read again: what fits its checksum is
 * what was written. What has none was written by an earlier version.
 */
import { hash } from "node:crypto";

const SUM_CHARS = 12;
/** Said of a file whose checksum does not fit. */
export const DOES_NOT_FIT = "its checksum does not fit";

/** The value with its checksum as the last member. */
export function withChecksum<T extends object>(value: T): T & { readonly checksum: string } {
  return { ...value, checksum: checksumOf(value) };
}

/** False for an object that has a checksum, of something else. */
export function fitsChecksum(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("checksum" in value)) return true;
  const { checksum, ...rest } = value;
  return checksum === checksumOf(rest);
}

/** The text of such a file. @throws Error that says in one line why it is not what was written */
export function parseChecksummed(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message shows a part of the text, with its line breaks.
    throw new Error("it is not JSON");
  }
  if (!fitsChecksum(value)) throw new Error(DOES_NOT_FIT);
  return value;
}

function checksumOf(value: object): string {
  return hash("sha256", JSON.stringify(value)).slice(0, SUM_CHARS);
}

/** Keeps what was measured of a model on this host: a file of JSON with a checksum per key. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describeError } from "../../core/errors.js";
import { parseChecksummed, withChecksum } from "../../platform/checksummed-json.js";
import { makeFolder } from "../../platform/files.js";
import { errnoOf } from "../../platform/file-system-errors.js";
import { WholeFile } from "../../platform/whole-file.js";

const DIGEST_DIGITS = 12;
const REST_DIGITS = 16;

/** @param parts everything that the figures depend on, the model's digest too */
export function figuresKey(modelDigest: string, parts: readonly unknown[]): string {
  return `${modelDigest.slice(0, DIGEST_DIGITS)}-${shortHash(parts)}`;
}

export function shortHash(parts: readonly unknown[]): string {
  const hash = createHash("sha256").update(JSON.stringify(parts));
  return hash.digest("hex").slice(0, REST_DIGITS);
}

/**
 * @param parse gives undefined for figures that are measured otherwise now, and throws for what is none
 * @param onDamaged told why what is there is not believed
 * @returns undefined if there are none that can be used
 */
export async function readFigures<T>(
  path: string,
  parse: (value: unknown) => T | undefined,
  onDamaged: (why: string) => void,
): Promise<T | undefined> {
  try {
    return parse(parseChecksummed(await readFile(path, "utf8")));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") onDamaged(describeError(error).message);
    return undefined;
  }
}

/** Written whole or not at all; of two that measured at the same time, the later one's stays. @throws what the file system refuses */
export async function writeFigures(path: string, figures: object): Promise<void> {
  await makeFolder(dirname(path));
  await WholeFile.write(path, [`${JSON.stringify(withChecksum(figures), undefined, 2)}\n`]);
}

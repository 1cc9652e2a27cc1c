import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { RankmillError } from "../core/errors.js";
import { errnoOf } from "../platform/file-system-errors.js";
import { WholeFile } from "../platform/whole-file.js";

/**
 * Opens the file that an option names.
 *
 * @param flag for the error
 * @throws RankmillError `place_unusable` for a place that cannot be written, `conflict` for a file that is there
 */
export async function openChosenFile(path: string, flag: string): Promise<WholeFile> {
  const whole = resolve(path);
  const there = await stat(whole).catch(() => undefined);
  if (there !== undefined && !there.isFile()) {
    throw new RankmillError("place_unusable", `${flag} ${path}: is not a file`);
  }
  // Nothing says who wrote it: it may be what somebody mended.
  if (there !== undefined && there.size > 0) {
    throw new RankmillError(
      "conflict",
      `${flag} ${path}: exists: choose another name, or delete it`,
    );
  }
  try {
    return await WholeFile.create(whole);
  } catch (error) {
    const code = errnoOf(error) ?? String(error);
    throw new RankmillError("place_unusable", `${flag} ${path}: cannot be written (${code})`, {
      cause: error,
    });
  }
}

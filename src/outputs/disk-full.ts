import { RankmillError } from "../core/errors.js";
import { errnoOf } from "../platform/file-system-errors.js";
import { option, wording } from "../core/wording.js";

/**
 * A disk that fills up under way is nobody's mistake in the code: one line that says how to go on.
 *
 * @returns any other error as it is
 */
export function asDiskFull(error: unknown, output: string): unknown {
  const code = errnoOf(error);
  if (code === "EFBIG") {
    return new RankmillError(
      "internal",
      wording`${option("output")} ${output}: a file has reached the size that this process or the file system allows (${code}): raise the limit (ulimit -f unlimited) and run again to go on, what was ranked is kept`,
      { cause: error },
    );
  }
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new RankmillError(
    "internal",
    wording`${option("output")} ${output}: the disk is full (${code}): free some space and run again to go on, what was ranked is kept`,
    { cause: error },
  );
}

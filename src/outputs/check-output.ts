import type { PlaceRead } from "../inputs/places-read.js";
import { checkApart } from "./check-apart.js";
import { checkPlace, linkTarget, outputPaths } from "./output-paths.js";

/**
 * Checks before anything else is done that an output can be written, and is none of what is read.
 *
 * @param output a path, or `-` for standard output
 * @param format the name of the output's form
 * @throws RankmillError `place_unusable`, `conflict`
 */
export async function checkOutput(
  output: string,
  reads: readonly PlaceRead[],
  format?: string,
): Promise<void> {
  if (output === "-") {
    await checkApart(undefined, reads);
    return;
  }
  const paths = outputPaths(await linkTarget(output), format);
  await checkPlace(paths);
  await checkApart(paths, reads);
}

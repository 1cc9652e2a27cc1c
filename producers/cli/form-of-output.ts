import type { Int8Form } from "../../src/core/forms/int8-forms.js";
import { readManifest } from "../../src/outputs/manifest.js";
import { linkTarget, outputPaths } from "../../src/outputs/output-paths.js";

/**
 * The form of int8 in which a run is gone on with: that of the rankings that are there, whatever is usual now.
 *
 * @returns undefined if there is no earlier run, or none in int8
 */
export async function int8FormOf(output: string): Promise<Int8Form | undefined> {
  // A place that cannot be read is refused where it is opened.
  const found = await linkTarget(output)
    .then((target) => readManifest(outputPaths(target).manifest))
    .catch(() => undefined);
  if (found?.kind !== "run") return undefined;
  const { precision, form } = found.manifest.settings.model;
  return precision === "int8" && form === undefined ? "file" : undefined;
}

import type { Int8Form } from "../../src/core/forms/int8-forms.js";
import type { Numbers } from "../../src/core/forms/numbers.js";
import { readManifest } from "../../src/outputs/manifest.js";
import { linkTarget, outputPaths } from "../../src/outputs/output-paths.js";

/**
 * The numbers in which a run is gone on with: those of the rankings that are there, whatever is usual now.
 *
 * @returns undefined if there is no earlier run
 */
export async function numbersOfOutput(output: string): Promise<Numbers | undefined> {
  // A place that cannot be read is refused where it is opened.
  const found = await linkTarget(output)
    .then((target) => readManifest(outputPaths(target).manifest))
    .catch(() => undefined);
  if (found?.kind !== "run") return undefined;
  const { precision, form } = found.manifest.settings.model;
  if (typeof precision !== "string") return undefined;
  return { precision, form: typeof form === "string" ? form : undefined };
}

/** The form of int8 that earlier rankings ask for; undefined: the usual one. */
export function int8FormOf(earlier: Numbers | undefined): Int8Form | undefined {
  return earlier?.precision === "int8" && earlier.form === undefined ? "file" : undefined;
}

import type { RunExamples } from "../../src/app/runs/run-examples.js";
import type { Run } from "../../src/app/runs/run.js";
import { RankmillError } from "../../src/core/errors.js";

/** The examples of a run, or why there are none to show. */
export type FoundExamples =
  | { readonly status: "found"; readonly examples: RunExamples }
  | { readonly status: "unknown"; readonly reason: string };

/** Examples of a run; a spool that cannot be read leaves the rest of the page whole. */
export async function findExamples(run: Run, withTexts: boolean): Promise<FoundExamples> {
  try {
    return { status: "found", examples: await run.examples({ withTexts }) };
  } catch (error) {
    const names = error instanceof RankmillError && error.field === "spool";
    const reason = names
      ? "They lie in a spool: this page shows them if --spool names it."
      : "They could not be read: see the log.";
    return { status: "unknown", reason };
  }
}

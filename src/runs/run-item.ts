import { toWireRequest } from "../core/contract.js";
import type { JobEnd } from "../core/job.js";
import type { InputRecord, RecordFailure } from "../core/record.js";

/** The outcome of one record. */
export type RunItem =
  /** `line`: one output line, JSON without newline. */
  | { readonly status: "done"; readonly line: string }
  | { readonly status: "failed"; readonly failure: RecordFailure }
  /** The record is not over yet. */
  | { readonly status: "open" };

/** The end of a record that had none when its run was cancelled. */
export const CANCELLED = {
  status: "failed",
  code: "cancelled",
  message: "the run was cancelled",
} as const satisfies JobEnd;

/** The records of a cancelled spooled run that had neither a ranking nor an error of their own. */
export async function* cancelledItems(
  records: AsyncIterable<InputRecord>,
  failedLines: ReadonlySet<number>,
): AsyncGenerator<RunItem, void, undefined> {
  for await (const record of records) {
    const { line } = record.status === "valid" ? record : record.failure;
    if (failedLines.has(line)) continue;
    const failure =
      record.status === "invalid"
        ? record.failure
        : {
            line,
            id: record.request.id,
            code: CANCELLED.code,
            reason: CANCELLED.message,
            input: toWireRequest(record.request),
          };
    yield { status: "failed", failure };
  }
}

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

/** The end of a record whose ranking was damaged after its run was over. */
export const DAMAGED = {
  status: "failed",
  code: "damaged",
  message: "its ranking in the spool is damaged: retry the run to rank it anew",
} as const satisfies JobEnd;

type Failed = Extract<JobEnd, { status: "failed" }>;

/** The records of a spooled run that is over that have neither a ranking nor an error of their own. */
export async function* leftItems(
  records: AsyncIterable<InputRecord>,
  failedLines: ReadonlySet<number>,
  end: Failed,
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
            code: end.code,
            reason: end.message,
            input: toWireRequest(record.request),
          };
    yield { status: "failed", failure };
  }
}

import { failureLine } from "../../core/record.js";
import type { Run } from "../runs/run.js";

/**
 * The rankings of a run, one line each, in an order that stays: of a run in a spool in that of arrival, of one in
 * Redis in that of the input, up to the first record that is not over. Hence the number of lines that a
 * reader has is the place at which they go on.
 *
 * @param after lines to leave out
 */
export async function* rankingLines(
  run: Pick<Run, "items">,
  after: number,
): AsyncGenerator<string, void, undefined> {
  let seen = 0;
  for await (const item of run.items()) {
    if (item.status === "open") return;
    if (item.status !== "done") continue;
    seen += 1;
    if (seen > after) yield item.line;
  }
}

/** The failures of a run that are known by now, one line each. @param after lines to leave out */
export async function* failureLines(
  run: Pick<Run, "items">,
  after: number,
): AsyncGenerator<string, void, undefined> {
  let seen = 0;
  for await (const item of run.items()) {
    if (item.status !== "failed") continue;
    seen += 1;
    if (seen > after) yield failureLine(item.failure);
  }
}

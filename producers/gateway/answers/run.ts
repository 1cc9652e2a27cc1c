import { z } from "zod";
import type { RunInfo } from "../../../src/redis/run-info.js";
import { runReportSchema } from "../../../src/runs/run-report.js";
import type { RunStatus } from "../../../src/runs/run-status.js";
import { named } from "../openapi/named.js";
import { count, pageOf } from "./common.js";

const state = runReportSchema.shape.state;
const head = { id: z.string(), object: z.literal("run") };

export const runReport = named("RunReport", runReportSchema);

export const submittedRun = named(
  "SubmittedRun",
  z.object({
    ...head,
    state: z.literal("submitted"),
    total: count.describe("Records of the input."),
    url: z.string(),
    warnings: z.array(z.string()),
  }),
);

export const listedRun = named(
  "ListedRun",
  z.object({
    ...head,
    state,
    spooled: z.boolean().describe("true: the run lies in a spool, and a runner feeds it."),
    model: z.string(),
    input: z.string().describe("The name of its input, for people."),
    total: count,
    created_at: z.string(),
  }),
);

export const runPage = named("RunPage", pageOf(listedRun));

export const stoppedRun = named(
  "StoppedRun",
  z.object({ ...head, stopped: count.describe("Records that will not be ranked.") }),
);

export const retriedRun = named(
  "RetriedRun",
  z.object({ ...head, retried: count.describe("Records that are ranked again.") }),
);

export const runProgress = named(
  "RunProgress",
  z.object({
    ...head,
    state,
    over: z.boolean(),
    total: count,
    done: count,
    failed: count,
    waiting: count,
    active: count,
    pairs: count,
    tokens: count,
  }),
);

/** A run in a list. */
export function runObject(id: string, info: RunInfo): z.infer<typeof listedRun> {
  return {
    id,
    object: "run",
    state: info.state,
    spooled: info.spooled === "yes",
    model: info.model,
    input: info.input,
    total: info.total,
    created_at: info.createdAt,
  };
}

/** The progress of a run, as an event tells it. */
export function progressObject(id: string, status: RunStatus): z.infer<typeof runProgress> {
  const { state, over, total, counts, waiting, active } = status;
  const { done, failed, pairs, tokens } = counts;
  return { id, object: "run", state, over, total, done, failed, waiting, active, pairs, tokens };
}

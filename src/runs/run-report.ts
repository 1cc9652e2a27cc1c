import { z } from "zod";
import { queueName } from "../redis/keys.js";
import type { RunInfo } from "../redis/run-info.js";
import type { RunStatus } from "./run-status.js";
import { secondsLeft, type RunSpeed } from "../core/run-speed.js";

const count = z.int().min(0);

/** The output of `rankmill status --json` for one run. Fields are added, never renamed or taken away. */
export const runReportSchema = z.strictObject({
  run: z.string(),
  state: z.enum(["submitting", "submitted", "cancelled", "complete", "failed"]).meta({
    description:
      "submitting: lines are still being enqueued; submitted: at work; failed: its runner gave it up",
  }),
  problem: z
    .string()
    .nullable()
    .meta({ description: "the reason why a runner gave the run up; null if none did" }),
  spooled: z.boolean().meta({ description: "true: the run lies in a spool and a runner owns it" }),
  owner: z
    .string()
    .nullable()
    .meta({ description: "host:process of a spooled run's runner; null: none owns it at present" }),
  total: count.meta({ description: "records; grows while the run is submitting" }),
  done: count,
  failed: count.meta({ description: "records without a ranking, cancelled ones included" }),
  waiting: count,
  active: count.meta({ description: "records whose jobs are in workers' hands" }),
  failed_by_code: z.record(z.string(), count),
  failed_pairs: count.meta({ description: "documents of ranked records that were not scored" }),
  pairs: count,
  tokens: count,
  truncated: count,
  speed: z
    .strictObject({
      records_per_second: z.number(),
      pairs_per_second: z.number(),
      tokens_per_second: z.number(),
      over_seconds: z.number(),
    })
    .nullable()
    .meta({ description: "of the last half minute at most; null: not known, or the run is over" }),
  eta_seconds: z
    .number()
    .nullable()
    .meta({ description: "at that speed; 0: over; null: not known, nothing moves" }),
  oldest_waiting_seconds: z
    .number()
    .nullable()
    .meta({ description: "age of the oldest job that waits in the model's queues; null: none" }),
  workers: z
    .array(
      z.strictObject({
        id: z.string(),
        host: z.string(),
        pid: count,
        lanes: count,
        held: count.meta({ description: "jobs in hand, of whatever run" }),
        pairs_per_second: z
          .number()
          .nullable()
          .meta({ description: "its speed while it had work; null: not known yet" }),
        started_at: z.string(),
      }),
    )
    .meta({ description: "that serve the run's model at present" }),
  lanes: count.meta({ description: "of those workers" }),
  redis_bytes: count
    .nullable()
    .meta({ description: "memory of the run's keys, reckoned from a sample; null: not known" }),
  model: z.string().meta({
    description: "its tag: model, revision, precision with its numeric form, schema major",
  }),
  queues: z.array(z.string()),
  input: z.string(),
  created_at: z.string(),
});

export type RunReport = z.infer<typeof runReportSchema>;

/** The findings from which a report is made. */
export interface RunFindings {
  readonly run: string;
  readonly place: "redis" | "spool";
  readonly info: RunInfo;
  readonly status: RunStatus;
  readonly owner: string | undefined;
  readonly pace: RunSpeed | undefined;
  readonly oldestWaitingAtMs: number | undefined;
  readonly workers: readonly {
    readonly id: string;
    readonly host: string;
    readonly pid: number;
    readonly lanes: number;
    readonly held: number;
    readonly pairsPerSecond?: number;
    readonly startedAt: string;
  }[];
  readonly redisBytes: number | undefined;
  readonly nowMs: number;
}

export function reportOf(found: RunFindings): RunReport {
  const { info, status, workers, oldestWaitingAtMs } = found;
  const { counts, over } = status;
  const pace = over ? undefined : found.pace;
  return {
    run: found.run,
    state: status.state,
    problem: status.state === "failed" ? info.problem : null,
    spooled: found.place === "spool",
    owner: found.owner ?? null,
    total: status.total,
    done: counts.done,
    failed: counts.failed,
    waiting: status.waiting,
    active: status.active,
    failed_by_code: counts.failedByCode,
    failed_pairs: counts.failedPairs,
    pairs: counts.pairs,
    tokens: counts.tokens,
    truncated: counts.truncated,
    speed:
      pace === undefined
        ? null
        : {
            records_per_second: pace.recordsPerSecond,
            pairs_per_second: pace.pairsPerSecond,
            tokens_per_second: pace.tokensPerSecond,
            over_seconds: pace.overSeconds,
          },
    eta_seconds: over ? 0 : (secondsLeft(status.waiting + status.active, pace) ?? null),
    oldest_waiting_seconds:
      oldestWaitingAtMs === undefined ? null : Math.max(0, found.nowMs - oldestWaitingAtMs) / 1000,
    workers: workers.map(({ id, host, pid, lanes, held, pairsPerSecond, startedAt }) => ({
      id,
      host,
      pid,
      lanes,
      held,
      pairs_per_second: pairsPerSecond ?? null,
      started_at: startedAt,
    })),
    lanes: workers.reduce((sum, { lanes }) => sum + lanes, 0),
    redis_bytes: found.redisBytes ?? null,
    model: info.tag,
    queues: [queueName(info.tag, "interactive"), queueName(info.tag, "bulk")],
    input: info.input,
    created_at: info.createdAt,
  };
}

import { SingleFlightPoll } from "../../platform/single-flight-poll.js";
import type { Metrics } from "./registry.js";

/** The contents of one queue of a model. */
export interface QueueBacklog {
  readonly queue: string;
  readonly jobs: Readonly<Record<"waiting" | "active" | "delayed" | "failed", number>>;
  readonly pairs: Readonly<Record<"waiting" | "active", number>>;
}

/** A scrape waits this long for Redis, and then goes without. */
const ANSWER_MS = 1_000;

/**
 * Shows what lies in Redis for each model, whoever looks: all who serve a model show the same, so a
 * query takes the highest, never the sum. Nothing is shown while Redis does not answer.
 *
 * @param ask by model tag; hangs or rejects while Redis is gone
 */
export function showBacklog(
  metrics: Metrics,
  ask: () => Promise<ReadonlyMap<string, readonly QueueBacklog[]>>,
): void {
  const labels = ["model", "queue", "state"] as const;
  const jobs = metrics.gauge("backlog_jobs", "Jobs in Redis by BullMQ's states", labels);
  const pairs = metrics.gauge(
    "backlog_pairs",
    "Pairs of the jobs in Redis; estimated from 200 jobs if more wait",
    labels,
  );
  const question = new SingleFlightPoll(ask, ANSWER_MS);
  metrics.onScrape(async () => {
    const backlog = await question.answer();
    jobs.reset();
    pairs.reset();
    for (const [model, queues] of backlog ?? []) {
      for (const { queue, ...counts } of queues) {
        for (const [state, count] of Object.entries(counts.jobs)) {
          jobs.set({ model, queue, state }, count);
        }
        for (const [state, count] of Object.entries(counts.pairs)) {
          pairs.set({ model, queue, state }, count);
        }
      }
    }
  });
}

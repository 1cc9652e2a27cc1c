/** The events of a worker, as its log tells them and as its metrics count them. */
import type { Logger } from "pino";
import type { Priority } from "../../core/priority.js";
import type { LaneEvent } from "../../inference/lanes/lane-pool.js";
import type { WorkerMetrics } from "../../telemetry/metrics/worker-metrics.js";
import type { ConsumerEvent } from "../../redis/consumer.js";

export function countLane(metrics: WorkerMetrics, event: LaneEvent): void {
  if (event.type === "died") metrics.laneDied();
  if (event.type === "recycled") metrics.laneReplaced();
}

export function countConsumer(metrics: WorkerMetrics, queue: Priority, event: ConsumerEvent): void {
  switch (event.type) {
    case "taken":
      metrics.jobTaken(queue, event.waitedMs);
      break;
    case "done":
      metrics.jobEnded(queue, "done");
      break;
    case "failed":
      metrics.jobEnded(queue, event.final ? "failed" : "retried");
      break;
    case "dropped":
      metrics.jobEnded(queue, "dropped");
      break;
    case "stalled":
      metrics.jobStalled(queue);
      break;
    case "lock-lost":
      metrics.lockLost(queue);
      break;
    case "revived":
      metrics.consumerRevived(queue);
      break;
    case "error":
      break;
  }
}

export function logLane(logger: Logger, event: LaneEvent): void {
  switch (event.type) {
    case "ready":
      logger.info({ lane: event.lane, lanePid: event.pid }, "lane ready");
      break;
    case "died":
      logger.warn({ lane: event.lane, lanePid: event.pid, reason: event.reason }, "lane died");
      break;
    case "recycled":
      logger.info({ lane: event.lane, lanePid: event.pid, reason: event.reason }, "lane replaced");
      break;
    case "backing-off":
      logger.warn(
        { lane: event.lane, backoffMs: event.backoffMs, reason: event.reason },
        "lane dies again and again; waiting before the next start",
      );
      break;
    case "gave-up":
      logger.error({ reason: event.reason }, "no lane can work");
      break;
  }
}

export function logConsumer(logger: Logger, event: ConsumerEvent): void {
  switch (event.type) {
    case "taken":
      logger.trace({ ...namesOf(event), waitedMs: event.waitedMs }, "job taken");
      break;
    case "dropped":
      logger.debug({ jobId: event.jobId }, "job dropped: nobody waits for it any more");
      break;
    case "done":
      logger.debug({ ...namesOf(event), ...event.summary }, "job done");
      break;
    case "failed":
      logger.warn({ ...namesOf(event), final: event.final, err: event.error }, "job failed");
      break;
    case "stalled":
      logger.warn({ jobId: event.jobId }, "job had stalled and was taken back");
      break;
    case "lock-lost":
      logger.warn({ jobId: event.jobId }, "job's lock was lost; its attempt is cancelled");
      break;
    case "revived":
      logger.warn("jobs waited while nothing was fetched: queue consumer replaced");
      break;
    case "error":
      logger.warn({ err: event.error }, "queue consumer error");
      break;
  }
}

/** A job's id, and that of the gateway's request that it was made for. */
function namesOf({ jobId, requestId }: { readonly jobId: string; readonly requestId?: string }) {
  return requestId === undefined ? { jobId } : { jobId, requestId };
}

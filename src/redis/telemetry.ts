import type { Telemetry } from "./bullmq.js";

let current: Telemetry | undefined;

/**
 * From now on every queue and consumer of this process is traced. Tracing is a process's own, as
 * OpenTelemetry's API is: the program that starts it decides, before it opens any queue.
 */
export function traceQueues(telemetry: Telemetry): void {
  current = telemetry;
}

/** BullMQ's option for it; empty if nothing is traced. */
export function telemetryOption(): { telemetry?: Telemetry } {
  return current === undefined ? {} : { telemetry: current };
}

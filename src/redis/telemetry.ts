import type { Telemetry } from "./bullmq.js";

/** Gives the span at hand an attribute. */
type Annotate = (name: string, value: string) => void;

let current: Telemetry | undefined;
let annotate: Annotate = () => {};

/**
 * From now on every queue and consumer of this process is traced. Tracing is a process's own, as
 * OpenTelemetry's API is: the program that starts it decides, before it opens any queue.
 */
export function traceQueues(telemetry: Telemetry, annotateSpan: Annotate = () => {}): void {
  current = telemetry;
  annotate = annotateSpan;
}

/** Names the request for which the job at hand was made, in the job's span. */
export function traceRequestId(requestId: string): void {
  annotate("rankmill.request_id", requestId);
}

/** BullMQ's option for it; empty if nothing is traced. */
export function telemetryOption(): { telemetry?: Telemetry } {
  return current === undefined ? {} : { telemetry: current };
}

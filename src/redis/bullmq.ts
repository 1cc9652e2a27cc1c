/**
 * BullMQ, in its CommonJS build. Node reads its 250 ES modules in half a second of processor time, and
 * the same files as CommonJS in less than half of that; every command and every worker starts with it.
 */
import { createRequire } from "node:module";
import type * as BullMq from "bullmq";

const bullmq = createRequire(import.meta.url)("bullmq") as typeof BullMq;

export const { Queue, UnrecoverableError, WaitingError, Worker } = bullmq;
export type { Job, Telemetry } from "bullmq";
export type Queue<Data = unknown> = BullMq.Queue<Data>;
export type Worker<Data, Result> = BullMq.Worker<Data, Result>;

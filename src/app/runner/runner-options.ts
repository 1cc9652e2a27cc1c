import type { Logger } from "pino";
import type { Limits } from "../../core/contract.js";
import type { InFlightBounds } from "../../core/in-flight-bounds.js";
import type { Spool } from "../../core/ports/spool.js";
import type { RunStore } from "../../redis/run-store.js";
import type { RetryPauses } from "./stopped-runs.js";
import type { Instruments } from "../worker/instruments.js";
import type { RedisClient } from "../../redis/redis-client.js";

export interface RunnerOptions {
  readonly redis: RedisClient;
  readonly store: RunStore;
  readonly spool: Spool;
  readonly limits: Limits;
  /** Bounds of each run. */
  readonly inFlight: InFlightBounds;
  /** Runs owned at once. */
  readonly maxRuns: number;
  /** Pauses between the tries of a run that stops. */
  readonly retryPauses?: RetryPauses | undefined;
  readonly logger: Logger;
  /** File that the runner updates every few seconds with its health; none if absent. */
  readonly healthFile?: string | undefined;
  /** Server of its metrics and readiness; opened and closed by the caller. */
  readonly instruments?: Instruments | undefined;
}

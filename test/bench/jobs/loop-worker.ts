/** The compiled worker in a process that watches its own event loop. */
import { once } from "node:events";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { pino } from "pino";
import type * as Connection from "../../../src/redis/connection.js";
import type * as OpenTokenizer from "../../../src/tokenizers/open-tokenizer.js";
import type * as Resolve from "../../../src/models/resolve.js";
import type * as WorkerModule from "../../../src/app/worker/start-worker.js";
import type { RunningWorker } from "../../../src/app/worker/worker-options.js";
import { DIST, REPOSITORY } from "../support/places.js";
import type { RedisClient } from "../../../src/redis/redis-client.js";

export type LoopRequest =
  | {
      readonly type: "start";
      readonly redisUrl: string;
      readonly modelFolder: string;
      readonly precision: "int8";
    }
  | { readonly type: "reset" }
  | { readonly type: "read" }
  | { readonly type: "stop" };

/** Milliseconds beyond the timer's own resolution. */
export interface LoopDelay {
  readonly medianMs: number;
  readonly highMs: number;
  readonly maxMs: number;
  /** The delays of a thread that does nothing: those of the machine alone. */
  readonly idleMaxMs: number;
}

const RESOLUTION_MS = 1;
const HIGH_PERCENTILE = 99;
const CLOSE_DEADLINE_MS = 5_000;

/** Answers any message with its own longest delay so far, in nanoseconds, and starts anew. */
const IDLE_THREAD = `
const { parentPort } = require("node:worker_threads");
const delay = require("node:perf_hooks").monitorEventLoopDelay({ resolution: ${RESOLUTION_MS} });
delay.enable();
parentPort.on("message", () => {
  parentPort.postMessage(delay.max);
  delay.reset();
});
`;
const idleThread = new Worker(IDLE_THREAD, { eval: true });

async function idleMax(): Promise<number> {
  idleThread.postMessage("read");
  const [max] = (await once(idleThread, "message")) as [number];
  return max;
}

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
let worker: RunningWorker | undefined;
let redis: RedisClient | undefined;

async function compiled<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(join(DIST, path)).href)) as T;
}

async function start(request: Extract<LoopRequest, { type: "start" }>): Promise<void> {
  const { connectRedis } = await compiled<typeof Connection>("src/redis/connection.js");
  const { resolveModel } = await compiled<typeof Resolve>("src/models/resolve.js");
  const { openTokenizer } = await compiled<typeof OpenTokenizer>(
    "src/tokenizers/open-tokenizer.js",
  );
  const { startWorker } = await compiled<typeof WorkerModule>("src/app/worker/start-worker.js");
  const connected = await connectRedis({ url: request.redisUrl }, () => undefined);
  redis = connected;
  const model = await resolveModel(request.modelFolder, {
    packageRoot: REPOSITORY,
    precision: request.precision,
  });
  const opened = await openTokenizer(model.folder.path);
  const logger = pino({ level: "silent" });
  worker = await startWorker({ model, opened, redis: connected, logger, env: process.env });
  delay.enable();
}

function ms(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}

async function handle(request: LoopRequest): Promise<void> {
  if (request.type === "start") await start(request);
  if (request.type === "reset") delay.reset();
  if (request.type === "stop") {
    await worker?.close(CLOSE_DEADLINE_MS);
    redis?.disconnect();
  }
  const idleMaxMs = ms(await idleMax());
  const answer: LoopDelay = {
    medianMs: ms(delay.percentile(50)),
    highMs: ms(delay.percentile(HIGH_PERCENTILE)),
    maxMs: ms(delay.max),
    idleMaxMs,
  };
  process.send?.(answer);
}

process.on("message", (request: LoopRequest) => void handle(request));

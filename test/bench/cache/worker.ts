/** The compiled worker in a process of its own, with parts of its reuse turned off if asked. */
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { pino } from "pino";
import type * as Connection from "../../../src/redis/connection.js";
import type * as OpenTokenizer from "../../../src/tokenizers/open-tokenizer.js";
import type * as Resolve from "../../../src/models/resolve.js";
import type { ReuseCounts } from "../../../src/telemetry/reuse-counts.js";
import type * as WorkerModule from "../../../src/app/worker/start-worker.js";
import { DIST, REPOSITORY } from "../support/places.js";

export interface ReuseOptions {
  readonly tokenCacheBytes: number;
  readonly sharesEqualPairs: boolean;
  readonly scoreCacheBytes: number;
}

export interface StartWorker extends ReuseOptions {
  readonly redisUrl: string;
  readonly modelFolder: string;
  readonly precision: "int8";
  /** Cores by one lane each: nothing is measured, so that all ways run alike. */
  readonly lanes: number;
}

export type ToWorker = StartWorker | "stop";
export type FromWorker = "ready" | ReuseCounts;

const CLOSE_DEADLINE_MS = 5_000;

async function compiled<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(join(DIST, path)).href)) as T;
}

async function start(request: StartWorker): Promise<() => Promise<ReuseCounts>> {
  const { connectRedis } = await compiled<typeof Connection>("src/redis/connection.js");
  const { resolveModel } = await compiled<typeof Resolve>("src/models/resolve.js");
  const { openTokenizer } = await compiled<typeof OpenTokenizer>(
    "src/tokenizers/open-tokenizer.js",
  );
  const { startWorker } = await compiled<typeof WorkerModule>("src/app/worker/start-worker.js");
  const redis = await connectRedis({ url: request.redisUrl }, () => undefined);
  const { precision } = request;
  const model = await resolveModel(request.modelFolder, { packageRoot: REPOSITORY, precision });
  const opened = await openTokenizer(model.folder.path);
  const logger = pino({ level: "silent" });
  const worker = await startWorker({ ...request, model, opened, redis, logger, env: process.env });
  return async () => {
    await worker.close(CLOSE_DEADLINE_MS);
    redis.disconnect();
    return worker.reuse();
  };
}

let stop: (() => Promise<ReuseCounts>) | undefined;

async function handle(message: ToWorker): Promise<void> {
  if (message === "stop") {
    process.send?.(await stop?.());
    process.disconnect();
    return;
  }
  stop = await start(message);
  process.send?.("ready" satisfies FromWorker);
}

process.on("message", (message: ToWorker) => void handle(message));

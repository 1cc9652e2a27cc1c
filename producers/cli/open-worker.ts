import type { RedisClient } from "../../src/redis/redis-client.js";
import type { Logger } from "pino";
import type { Instruments } from "../../src/app/worker/instruments.js";
import type { RunningWorker } from "../../src/app/worker/worker-options.js";
import type { WorkerDevice } from "../../src/inference/devices/registry.js";
import type { ResolvedModel } from "../../src/models/resolve.js";
import { describeRedis, redisWarnings } from "../../src/redis/redis-info.js";
import { answerWithin } from "../../src/redis/answer-within.js";
import { serversOf } from "../../src/redis/redis-servers.js";
import { chooseDevice } from "./choose-device.js";
import { preparedDir } from "./context.js";
import { laneOptions } from "./lane-options.js";
import type { WorkerValues } from "./options/worker-groups.js";
import { env } from "./terminal.js";

/** The connection is new: it has just been asked, and has answered. */
const INFO_MS = 60_000;

/** The means of a worker, and of others in its process. */
export interface WorkerMeans {
  readonly redis: RedisClient;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly healthFile: string | undefined;
  readonly instruments: Instruments | undefined;
}

export interface ChosenModel {
  readonly device: WorkerDevice;
  readonly model: ResolvedModel;
}

/** Finds the model and the device, and tells the log why the device is that one. */
export async function chooseModel(values: WorkerValues, logger: Logger): Promise<ChosenModel> {
  return await chooseDevice(values.device, values.model, ({ note, unexpected }) => {
    if (unexpected) logger.warn(note);
    else logger.info(note);
  });
}

/** Opens everything that the worker needs. */
export async function openWorker(
  values: WorkerValues,
  { device, model }: ChosenModel,
  { redis, logger, signal, healthFile, instruments }: WorkerMeans,
): Promise<RunningWorker> {
  for (const { address, redis: server } of serversOf(redis)) {
    const info = await answerWithin(server.info(), INFO_MS, "its settings are not known");
    const warnings = redisWarnings(describeRedis(info));
    for (const warning of warnings) logger.warn({ ...warning, master: address });
  }
  const prepared = values.model.prepare ? preparedDir(values.model.preparedDir) : undefined;
  const { openTokenizer } = await import("../../src/tokenizers/open-tokenizer.js");
  const { startWorker } = await import("../../src/app/worker/start-worker.js");
  return await startWorker({
    model,
    device,
    opened: await openTokenizer(model.folder.path, {
      kind: values.model.tokenizer,
      compiledDir: prepared,
      onNote: (note) => logger.warn(note),
    }),
    redis,
    logger,
    env,
    preparedDir: prepared,
    limits: values.limits,
    ...laneOptions(values.lanes, values.worker),
    healthFile,
    instruments,
    signal,
  });
}

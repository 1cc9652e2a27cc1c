import type { RedisClient } from "../../src/redis/redis-client.js";
import type { Logger } from "pino";
import type { Instruments } from "../../src/app/worker/instruments.js";
import type { RunningWorker } from "../../src/app/worker/worker-options.js";
import { describeRedis, redisWarnings } from "../../src/redis/redis-info.js";
import { answerWithin } from "../../src/redis/answer-within.js";
import { serversOf } from "../../src/redis/redis-servers.js";
import { chooseDevice, type Chosen } from "./choose-device.js";
import { preparedDir } from "./context.js";
import { laneOptions } from "./lane-options.js";
import type { WorkerValues } from "./options/worker-groups.js";
import { settlePrecision, type WithFleet } from "./settle-precision.js";
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

/**
 * Finds model, device and runtime, and tells the log why they are those.
 *
 * @param fleet Redis of the workers that serve the same model
 */
export async function chooseModel(
  values: WorkerValues,
  logger: Logger,
  fleet: WithFleet | undefined,
): Promise<Chosen> {
  const tell = (line: string): void => logger.info(line);
  const { device, model } = await settlePrecision(values, { tell, logger, fleet });
  return await chooseDevice(device, model, ({ note, unexpected }) => {
    if (unexpected) logger.warn(note);
    else logger.info(note);
  });
}

/** Opens everything that the worker needs. */
export async function openWorker(
  values: WorkerValues,
  { device, runtime, model }: Chosen,
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
    runtime,
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

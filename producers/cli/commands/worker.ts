import type { Command } from "commander";
import type { DeviceDecision } from "../../../src/inference/devices/decide-device.js";
import { redisWarnings, describeRedis } from "../../../src/redis/redis-info.js";
import { createLogger, env, preparedDir, requireRedis, requireRedisUrl } from "../context.js";
import { chooseDevice } from "../choose-device.js";
import { EXIT } from "../exit-codes.js";
import { openInstruments } from "../instrument-options.js";
import { laneOptions } from "../lane-options.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { DEVICE } from "../options/device.js";
import { LANES } from "../options/lanes.js";
import { LIMITS } from "../options/limits.js";
import { LOGS } from "../options/messages.js";
import { MODEL } from "../options/model.js";
import { OBSERVE } from "../options/observe.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { SHUTDOWN, WORKER } from "../options/worker.js";

import { stopSignal } from "../stop-signal.js";

const GROUPS = {
  model: MODEL,
  device: DEVICE,
  lanes: LANES,
  worker: WORKER,
  shutdown: SHUTDOWN,
  redis: REDIS_ADDRESS,
  limits: LIMITS,
  observe: OBSERVE,
  messages: LOGS,
};

export function addWorker(program: Command): void {
  const command = program
    .command("worker")
    .description("serve a model's queues until told to stop")
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await work(parsed);
    });
  addOptions(command, GROUPS, [
    "model",
    "redisUrl",
    "precision",
    "lanes",
    "memoryLimitBytes",
    "metricsPort",
  ]);
  addHelp(command, {
    examples: ["REDIS_URL=redis://redis:6379 rankmill worker --model minilm --precision int8"],
    notes: [
      `SIGTERM or Ctrl-C: the worker takes no more jobs, finishes those in hand or hands them back, and exits 0. A second signal ends it at once. Logs are JSON lines on standard output. Needs REDIS_URL.`,
    ],
  });
}

async function work(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const logger = createLogger(values.messages.logLevel ?? "info", 1);
  const signal = stopSignal();
  const notes: DeviceDecision[] = [];
  const { device, model } = await chooseDevice(values.device, values.model, (note) =>
    notes.push(note),
  );
  // Nothing is said before it is clear that there can be a worker.
  requireRedisUrl(values.redis.redisUrl);
  for (const { note, unexpected } of notes) {
    if (unexpected) logger.warn(note);
    else logger.info(note);
  }
  const instruments = await openInstruments(values.observe, logger);
  const redis = await requireRedis(values.redis.redisUrl, logger);
  for (const warning of redisWarnings(describeRedis(await redis.info()))) logger.warn(warning);
  const prepared = values.model.prepare ? preparedDir(values.model.preparedDir) : undefined;
  const { openTokenizer } = await import("../../../src/tokenizers/open-tokenizer.js");
  const { startWorker } = await import("../../../src/app/worker/start-worker.js");
  try {
    const worker = await startWorker({
      model,
      device,
      opened: await openTokenizer(model.folder.path, {
        implementation: values.model.tokenizer,
        compiledDir: prepared,
      }),
      redis,
      logger,
      env,
      preparedDir: prepared,
      limits: values.limits,
      ...laneOptions(values.lanes, values.worker),
      healthFile: values.observe.healthFile,
      instruments,
    });
    const stopped = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    const failure = await Promise.race([stopped, worker.failed]);
    logger.info({ drainTimeoutSeconds: values.shutdown.drainTimeout }, "stopping");
    await worker.close(values.shutdown.drainTimeout * 1000);
    if (failure !== undefined) throw failure;
    logger.info("stopped");
    return EXIT.ok;
  } finally {
    redis.disconnect();
    await instruments?.close();
  }
}

import type { Command } from "commander";
import type { DeviceDecision } from "../../../src/inference/devices/decide-device.js";
import { redisWarnings, describeRedis } from "../../../src/redis/redis-info.js";
import {
  createLogger,
  env,
  limitsOf,
  preparedDir,
  requireRedis,
  requireRedisUrl,
} from "../context.js";
import { chooseDevice, DEVICE_OPTION_NAMES } from "../choose-device.js";
import { EXIT } from "../exit-codes.js";
import { INSTRUMENT_OPTION_NAMES, openInstruments } from "../instrument-options.js";
import { LANE_OPTION_NAMES, laneOptions } from "../lane-options.js";
import { commanderOptions, pickValues } from "../option-values.js";
import { stopSignal } from "../stop-signal.js";

const OPTION_NAMES = [
  "model",
  "precision",
  ...DEVICE_OPTION_NAMES,
  "modelsDir",
  "preparedDir",
  "prepare",
  "redisUrl",
  ...LANE_OPTION_NAMES,
  "tokenizer",
  "maxDocuments",
  "maxQueryChars",
  "maxDocumentChars",
  "maxJobBytes",
  "drainTimeout",
  ...INSTRUMENT_OPTION_NAMES,
  "logLevel",
] as const;

export function addWorker(program: Command): void {
  const command = program
    .command("worker")
    .description("serve a model's queues until told to stop")
    .addHelpText(
      "after",
      `
SIGTERM or Ctrl-C: takes no more jobs, finishes those in hand or hands them back, exits 0.
A second signal ends at once. Logs are JSON lines on standard output.`,
    )
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await work(parsed);
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function work(parsed: Record<string, unknown>): Promise<number> {
  const values = pickValues(OPTION_NAMES, parsed);
  const logger = createLogger(values.logLevel ?? "info", 1);
  const signal = stopSignal();
  const notes: DeviceDecision[] = [];
  const { device, model } = await chooseDevice(values, (note) => notes.push(note));
  // Nothing is said before it is clear that there can be a worker.
  requireRedisUrl(values.redisUrl);
  for (const { note, unexpected } of notes) {
    if (unexpected) logger.warn(note);
    else logger.info(note);
  }
  const instruments = await openInstruments(values, logger);
  const redis = await requireRedis(values.redisUrl, logger);
  for (const warning of redisWarnings(describeRedis(await redis.info()))) logger.warn(warning);
  const prepared = values.prepare === false ? undefined : preparedDir(values.preparedDir);
  const { openTokenizer } = await import("../../../src/tokenizers/open-tokenizer.js");
  const { startWorker } = await import("../../../src/app/worker/start-worker.js");
  try {
    const worker = await startWorker({
      model,
      device,
      opened: await openTokenizer(model.folder.path, {
        implementation: values.tokenizer as "auto",
        compiledDir: prepared,
      }),
      redis,
      logger,
      env,
      preparedDir: prepared,
      limits: limitsOf(values),
      ...laneOptions(values),
      healthFile: values.healthFile,
      instruments,
    });
    const stopped = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    const failure = await Promise.race([stopped, worker.failed]);
    logger.info({ drainTimeoutSeconds: values.drainTimeout }, "stopping");
    await worker.close(values.drainTimeout * 1000);
    if (failure !== undefined) throw failure;
    logger.info("stopped");
    return EXIT.ok;
  } finally {
    redis.disconnect();
    await instruments?.close();
  }
}

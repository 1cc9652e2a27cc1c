import type { Command } from "commander";
import type { Logger } from "pino";
import type { RunningWorker } from "../../../src/app/worker/worker-options.js";
import type { RankmillError } from "../../../src/core/errors.js";
import type { DeviceDecision } from "../../../src/inference/devices/decide-device.js";
import type { WorkerDevice } from "../../../src/inference/devices/registry.js";
import type { ResolvedModel } from "../../../src/models/resolve.js";
import { Closers } from "../../../src/platform/closers.js";
import { unlessAborted } from "../../../src/platform/unless-aborted.js";
import { redisWarnings, describeRedis } from "../../../src/redis/redis-info.js";
import { createLogger, preparedDir, requireRedis } from "../context.js";
import { env } from "../terminal.js";
import { chooseDevice } from "../choose-device.js";
import { EXIT } from "../exit-codes.js";
import { openInstruments } from "../instrument-options.js";
import { laneOptions } from "../lane-options.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions, type CommandValues } from "../options/command-options.js";
import { DEVICE } from "../options/device.js";
import { LANES } from "../options/lanes.js";
import { LIMITS } from "../options/limits.js";
import { LOGS } from "../options/messages.js";
import { MODEL } from "../options/model.js";
import { OBSERVE } from "../options/observe.js";
import { requireOptions } from "../options/required-options.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { SHUTDOWN, WORKER } from "../options/worker.js";
import { stopSignal } from "../stop-signal.js";
import { serversOf } from "../../../src/redis/redis-servers.js";

/** The time for handing back jobs and closing everything, after the drain. */
const STOP_DEADLINE_MS = 1_900;

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

export function defineWorker(command: Command): void {
  command.action(async (parsed: Record<string, unknown>) => {
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
    examples: ["REDIS_URL=redis://redis:6379 rankmill worker --model ms-marco-MiniLM-L6-v2"],
    notes: [
      `SIGTERM or Ctrl-C: the worker takes no more jobs, finishes those in hand or hands them back, and exits 0. A second signal ends it at once. Logs are JSON lines on standard output. Needs REDIS_URL.`,
    ],
  });
}

async function work(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const logger = createLogger(values.messages.logLevel ?? "info", 1);
  const drainMs = values.shutdown.drainTimeout * 1000;
  const signal = stopSignal({
    deadlineMs: drainMs + STOP_DEADLINE_MS,
    onLate: () => logger.error("not stopped in order: something did not answer"),
  });
  requireOptions({ model: values.model.model, redisUrl: values.redis.redisUrl });
  const notes: DeviceDecision[] = [];
  const { device, model } = await chooseDevice(values.device, values.model, (note) =>
    notes.push(note),
  );
  for (const { note, unexpected } of notes) {
    if (unexpected) logger.warn(note);
    else logger.info(note);
  }
  const closers = new Closers();
  try {
    const starting = start(values, { device, model, logger, signal, closers });
    const worker = await unlessAborted(starting, signal);
    const failure = await stopped(worker, signal);
    logger.info({ drainTimeoutSeconds: values.shutdown.drainTimeout }, "stopping");
    await worker.close(drainMs);
    if (failure !== undefined) throw failure;
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  } finally {
    await closers.closeAll();
  }
  logger.info("stopped");
  return EXIT.ok;
}

interface Means {
  readonly device: WorkerDevice;
  readonly model: ResolvedModel;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly closers: Closers;
}

/** Opens everything that the worker needs, what may be refused soonest first. */
async function start(
  values: CommandValues<typeof GROUPS>,
  { device, model, logger, signal, closers }: Means,
): Promise<RunningWorker> {
  const instruments = await openInstruments(values.observe, logger, closers);
  const redis = await requireRedis(values.redis, logger);
  closers.use("Redis connection", redis, (one) => one.disconnect());
  for (const { address, redis: server } of serversOf(redis)) {
    const warnings = redisWarnings(describeRedis(await server.info()));
    for (const warning of warnings) logger.warn({ ...warning, master: address });
  }
  const prepared = values.model.prepare ? preparedDir(values.model.preparedDir) : undefined;
  const { openTokenizer } = await import("../../../src/tokenizers/open-tokenizer.js");
  const { startWorker } = await import("../../../src/app/worker/start-worker.js");
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
    healthFile: values.observe.healthFile,
    instruments,
    signal,
  });
}

/** @returns why the worker cannot go on; undefined if it was told to stop */
async function stopped(
  worker: RunningWorker,
  signal: AbortSignal,
): Promise<RankmillError | undefined> {
  try {
    return await unlessAborted(worker.failed, signal);
  } catch {
    return undefined;
  }
}

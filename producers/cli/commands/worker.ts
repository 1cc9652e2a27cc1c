import type { Command } from "commander";
import type { Logger } from "pino";
import type { RunningWorker } from "../../../src/app/worker/worker-options.js";
import { Closers } from "../../../src/platform/closers.js";
import { unlessAborted } from "../../../src/platform/unless-aborted.js";
import { createLogger, requireRedis } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { failureUnlessStopped } from "../failure-unless-stopped.js";
import { openInstruments } from "../instrument-options.js";
import type { Chosen } from "../choose-device.js";
import { chooseModel, openWorker } from "../open-worker.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions, type CommandValues } from "../options/command-options.js";
import { LOGS } from "../options/messages.js";
import { OBSERVE } from "../options/observe.js";
import { requireOptions } from "../options/required-options.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { SHUTDOWN } from "../options/worker.js";
import { WORKER_GROUPS } from "../options/worker-groups.js";
import { fleetOf } from "../settle-precision.js";
import { stopSignal } from "../stop-signal.js";

/** The time for handing back jobs, which takes up to 4 s on a busy machine, and for closing everything, after the drain. */
const STOP_DEADLINE_MS = 6_000;

const GROUPS = {
  ...WORKER_GROUPS,
  shutdown: SHUTDOWN,
  redis: REDIS_ADDRESS,
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
      `SIGTERM or Ctrl-C: the worker takes no more jobs, finishes those in hand or hands them back, and exits 0. A second signal ends it at once. Logs go to standard output: short lines on a terminal, else JSON. Needs REDIS_URL.`,
    ],
  });
}

async function work(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const logger = createLogger(values.messages, "info", 1);
  const drainMs = values.shutdown.drainTimeout * 1000;
  const signal = stopSignal({
    deadlineMs: drainMs + STOP_DEADLINE_MS,
    onLate: () => logger.error("not stopped in order: something did not answer"),
  });
  requireOptions({ model: values.model.model, redisUrl: values.redis.redisUrl });
  const model = await chooseModel(values, logger, fleetOf(values.redis, logger));
  const closers = new Closers();
  try {
    const starting = start(values, model, { logger, signal, closers });
    const worker = await unlessAborted(starting, signal);
    const failure = await failureUnlessStopped([worker.failed], signal);
    logger.info(
      { jobsInHand: worker.held(), drainTimeoutSeconds: values.shutdown.drainTimeout },
      "stopping; a second signal, or Ctrl-C again, ends it at once",
    );
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

/** Opens everything that the worker needs, what may be refused soonest first. */
async function start(
  values: CommandValues<typeof GROUPS>,
  model: Chosen,
  { logger, signal, closers }: Means,
): Promise<RunningWorker> {
  const instruments = await openInstruments(values.observe, logger, closers);
  const redis = await requireRedis(values.redis, logger);
  closers.use("Redis connection", redis, (one) => one.disconnect());
  const { healthFile } = values.observe;
  return await openWorker(values, model, { redis, logger, signal, healthFile, instruments });
}

interface Means {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly closers: Closers;
}

import type { Command } from "commander";
import type { Logger } from "pino";
import type { Spool } from "../../../src/core/ports/spool.js";
import { Closers } from "../../../src/platform/closers.js";
import { unlessAborted } from "../../../src/platform/unless-aborted.js";
import { RunStore } from "../../../src/redis/run-store.js";
import { runRunner } from "../../../src/app/runner.js";
import { createLogger, requireRedis, requireSpool } from "../context.js";
import { keepHeapSmall } from "../heap.js";
import { EXIT } from "../exit-codes.js";
import { openInstruments } from "../instrument-options.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions, type CommandValues } from "../options/command-options.js";
import { LIMITS } from "../options/limits.js";
import { LOGS } from "../options/messages.js";
import { OBSERVE } from "../options/observe.js";
import { requireOptions } from "../options/required-options.js";
import { pick } from "../options/option-spec.js";
import { inFlightBounds, REDIS } from "../options/redis.js";
import { RUN } from "../options/run.js";
import { stopSignal } from "../stop-signal.js";

/** The time for giving the runs back; the next owner reads what is in the spool. */
const RUNS_END_MS = 5_000;
const STOP_DEADLINE_MS = 7_000;

const GROUPS = {
  run: pick(RUN, "spool", "maxRuns"),
  redis: REDIS,
  limits: LIMITS,
  observe: OBSERVE,
  messages: LOGS,
};

export function defineRunner(command: Command): void {
  command.action(async (parsed: Record<string, unknown>) => {
    process.exitCode = await serve(parsed);
  });
  addOptions(command, GROUPS, ["spool", "redisUrl", "maxRuns", "metricsPort"]);
  addHelp(command, {
    examples: ["rankmill runner --spool /mnt/runs"],
    notes: [
      `Takes the runs that "rankmill submit --spool" put into the spool, and those whose runner died. Any number of runners may share a spool. SIGTERM or Ctrl-C gives the runs back and exits 0. Logs go to standard output: short lines on a terminal, else JSON. Needs REDIS_URL.`,
    ],
  });
}

async function serve(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const { spool: place } = requireOptions({
    spool: values.run.spool,
    redisUrl: values.redis.redisUrl,
  });
  const spool = await requireSpool(place);
  await spool.check();
  const logger = createLogger(values.messages, "info", 1);
  const signal = stopSignal({
    deadlineMs: STOP_DEADLINE_MS,
    onLate: () => logger.error("not stopped in order: something did not answer"),
  });
  keepHeapSmall();
  const closers = new Closers();
  try {
    await unlessAborted(own(values, spool, { logger, signal, closers }), signal, RUNS_END_MS);
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  } finally {
    await closers.closeAll();
  }
  logger.info("stopped");
  return EXIT.ok;
}

async function own(
  values: CommandValues<typeof GROUPS>,
  spool: Spool,
  { logger, signal, closers }: { logger: Logger; signal: AbortSignal; closers: Closers },
): Promise<void> {
  const instruments = await openInstruments(values.observe, logger, closers);
  const redis = await requireRedis(values.redis, logger);
  closers.use("Redis connection", redis, (one) => one.disconnect());
  await runRunner(
    {
      redis,
      store: new RunStore(redis),
      spool,
      limits: values.limits,
      inFlight: inFlightBounds(values.redis),
      maxRuns: values.run.maxRuns,
      logger,
      healthFile: values.observe.healthFile,
      instruments,
    },
    signal,
  );
}

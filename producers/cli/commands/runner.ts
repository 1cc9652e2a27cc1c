import type { Command } from "commander";
import { RunStore } from "../../../src/redis/run-store.js";
import { runRunner } from "../../../src/app/runner.js";
import { createLogger, limitsOf, required, requireRedis, requireSpool } from "../context.js";
import { keepHeapSmall } from "../heap.js";
import { EXIT } from "../exit-codes.js";
import { INSTRUMENT_OPTION_NAMES, openInstruments } from "../instrument-options.js";
import { commanderOptions, pickValues } from "../option-values.js";
import { stopSignal } from "../stop-signal.js";

const OPTION_NAMES = [
  "spool",
  "redisUrl",
  "maxRuns",
  "windowJobs",
  "windowBytes",
  "maxDocuments",
  "maxQueryChars",
  "maxDocumentChars",
  "maxJobBytes",
  ...INSTRUMENT_OPTION_NAMES,
  "logLevel",
] as const;

export function addRunner(program: Command): void {
  const command = program
    .command("runner")
    .description("own spooled runs: feed them to the workers and collect their rankings")
    .addHelpText(
      "after",
      `
Takes the runs that "rankmill submit --spool" put into the spool, and those whose runner died.
Any number of runners may share a spool. SIGTERM or Ctrl-C gives the runs back, exits 0.
Logs are JSON lines on standard output. Needs REDIS_URL.`,
    )
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await serve(parsed);
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function serve(parsed: Record<string, unknown>): Promise<number> {
  const values = pickValues(OPTION_NAMES, parsed);
  const spool = await requireSpool(required(values.spool, "--spool"));
  await spool.check();
  const logger = createLogger(values.logLevel ?? "info", 1);
  const signal = stopSignal();
  keepHeapSmall();
  const instruments = await openInstruments(values, logger);
  const redis = await requireRedis(values.redisUrl, logger);
  try {
    logger.info({ maxRuns: values.maxRuns }, "ready");
    await runRunner(
      {
        redis,
        store: new RunStore(redis),
        spool,
        limits: limitsOf(values),
        window: { maxJobs: values.windowJobs, maxBytes: values.windowBytes },
        maxRuns: values.maxRuns,
        logger,
        healthFile: values.healthFile,
        instruments,
      },
      signal,
    );
    logger.info("stopped");
    return EXIT.ok;
  } finally {
    redis.disconnect();
    await instruments?.close();
  }
}

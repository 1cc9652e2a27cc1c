import type { Command } from "commander";
import { RunStore, type RunRecord } from "../../../src/runs/run-store.js";
import { cancelRun, retryRun, type RunParts } from "../../../src/runs/submitted-run.js";
import { createLogger, requireRedis, say } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { openRun } from "../open-run.js";
import { commanderOptions, pickValues } from "../options.js";

const OPTION_NAMES = ["redisUrl", "logLevel"] as const;

export function addCancel(program: Command): void {
  addControl(program, "cancel", "stop a submitted run; what is done stays", cancelRun, "stopped");
}

export function addRetry(program: Command): void {
  addControl(
    program,
    "retry",
    "enqueue again what failed or was cancelled",
    retryRun,
    "enqueued again",
  );
}

function addControl(
  program: Command,
  name: string,
  description: string,
  act: (run: string, record: RunRecord, parts: RunParts) => Promise<number>,
  outcome: string,
): void {
  const command = program
    .command(name)
    .argument("<run>", "the run's id")
    .description(`${description}; needs REDIS_URL`)
    .action(async (run: string, parsed: Record<string, unknown>) => {
      const values = pickValues(OPTION_NAMES, parsed);
      const redis = await requireRedis(values.redisUrl, createLogger(values.logLevel ?? "warn", 2));
      try {
        const record = await new RunStore(redis).read(run);
        const parts = openRun(redis, record.tag);
        say(`${await act(run, record, parts)} records ${outcome}`);
        await parts.queue.close();
        process.exitCode = EXIT.ok;
      } finally {
        redis.disconnect();
      }
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

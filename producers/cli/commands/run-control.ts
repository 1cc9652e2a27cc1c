import type { Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { cancelRun } from "../../../src/runs/end-run.js";
import { RunStore, type RunInfo } from "../../../src/redis/run-store.js";
import { retryRun, runOwner } from "../../../src/runs/submitted-run.js";
import { createLogger, requireRedis, requireSpool, say } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { isOver, lookAt, openRun, type OpenRun } from "../../../src/app/runs/open-run.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { LOGS } from "../options/messages.js";
import { pick } from "../options/option-spec.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { RUN } from "../options/run.js";

const GROUPS = {
  run: pick(RUN, "spool"),
  redis: REDIS_ADDRESS,
  messages: LOGS,
};

export function addCancel(program: Command): void {
  addControl(program, "cancel", "stop a submitted run; what is done stays", cancel, "stopped");
}

export function addRetry(program: Command): void {
  addControl(
    program,
    "retry",
    "enqueue again what failed or was cancelled",
    retry,
    "enqueued again",
  );
}

type Control = (
  run: string,
  record: RunInfo,
  parts: OpenRun,
  spool: string | undefined,
) => Promise<number>;

const cancel: Control = async (run, record, parts) => {
  // What is over stays complete, and not half of it becomes cancelled.
  if (record.state === "complete") return 0;
  // At once: of a large run the last job is found and taken out many seconds later.
  await parts.queue.blockOwner(runOwner(run));
  try {
    if (isOver(record, await lookAt(run, record, parts))) return 0;
    return await cancelRun(run, record, parts);
  } finally {
    await parts.queue.unblockOwner(runOwner(run));
  }
};

const retry: Control = async (run, record, parts, spool) => {
  // A cancellation that was killed half way has left it refused.
  await parts.queue.unblockOwner(runOwner(run));
  if (record.spooled === "no") return await retryRun(run, record, parts);
  const { counts, waiting, active } = await lookAt(run, record, parts);
  if (record.state === "submitted") {
    throw new RankmillError(
      "conflict",
      `run ${run} is under way: what failed can be tried again once it is over`,
    );
  }
  const again = counts.failed + waiting + active;
  if (again === 0) return 0;
  await (await requireSpool(spool)).reopen(run);
  await parts.store.update(run, { state: "submitted" });
  return again;
};

function addControl(
  program: Command,
  name: string,
  description: string,
  act: Control,
  outcome: string,
): void {
  const command = program
    .command(name)
    .argument("<run>", "the run's id")
    .description(`${description}; needs REDIS_URL`)
    .action(async (run: string, parsed: Record<string, unknown>) => {
      const values = readOptions(GROUPS, parsed);
      const redis = await requireRedis(
        values.redis.redisUrl,
        createLogger(values.messages.logLevel ?? "warn", 2),
      );
      try {
        const record = await new RunStore(redis).read(run);
        const parts = openRun(redis, record.tag);
        say(`${await act(run, record, parts, values.run.spool)} records ${outcome}`);
        await parts.queue.close();
        process.exitCode = EXIT.ok;
      } finally {
        redis.disconnect();
      }
    });
  addOptions(command, GROUPS);
}

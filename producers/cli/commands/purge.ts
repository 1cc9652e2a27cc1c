import type { Command } from "commander";
import { DEFAULT_LIMITS, parseRequest } from "../../../src/core/contract.js";
import { RankmillError } from "../../../src/core/errors.js";
import { makeJob } from "../../../src/redis/make-job.js";
import { cancelRun, purgeRun } from "../../../src/runs/end-run.js";
import { checkRunId, RunStore, type RunInfo } from "../../../src/redis/run-store.js";
import type { Spool } from "../../../src/core/ports/spool.js";
import { runOwner } from "../../../src/runs/submitted-run.js";
import { createLogger, requireRedis, requireSpool, say } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { isOver, lookAt, openRun, type OpenRun } from "../../../src/app/runs/open-run.js";
import { commanderOptions, pickValues } from "../option-values.js";

const OPTION_NAMES = ["force", "spool", "redisUrl", "logLevel"] as const;

export function addPurge(program: Command): void {
  const command = program
    .command("purge")
    .argument("<run>", "the run's id")
    .description("remove a run, its rankings included, from Redis and from the spool")
    .addHelpText(
      "after",
      `
Files that "rankmill results" wrote stay. A run that is under way is refused, or with --force
cancelled first. Needs REDIS_URL.`,
    )
    .action(async (run: string, parsed: Record<string, unknown>) => {
      const values = pickValues(OPTION_NAMES, parsed);
      const redis = await requireRedis(values.redisUrl, createLogger(values.logLevel ?? "warn", 2));
      try {
        const store = new RunStore(redis);
        const record = await store.find(checkRunId(run));
        const spool = values.spool === undefined ? undefined : await requireSpool(values.spool);
        if (record === undefined) await purgeForgotten(run, store, spool);
        else {
          const parts = openRun(redis, record.tag);
          await purge(run, record, parts, values.spool, values.force === true);
          await parts.queue.close();
        }
        say(`run ${run} is gone`);
        process.exitCode = EXIT.ok;
      } finally {
        redis.disconnect();
      }
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function purge(
  run: string,
  record: RunInfo,
  parts: OpenRun,
  spoolPlace: string | undefined,
  force: boolean,
): Promise<void> {
  const spool = record.spooled === "no" ? undefined : await requireSpool(spoolPlace);
  if (!isOver(record, await lookAt(run, record, parts))) {
    if (!force) {
      throw new RankmillError(
        "conflict",
        `run ${run} is under way: cancel it first, or purge it with --force`,
      );
    }
    await cancelRun(run, record, parts);
  }
  if (spool !== undefined) await takeOutFailed(run, record, parts, spool);
  await purgeRun(run, record, parts);
  await spool?.remove(run);
}

/** BullMQ keeps some of the jobs that failed, and nothing in Redis says any more whose they are. */
async function takeOutFailed(
  run: string,
  record: RunInfo,
  { queue }: OpenRun,
  spool: Spool,
): Promise<void> {
  for await (const { input } of spool.failures(run)) {
    let jobId: string;
    try {
      const request = parseRequest(input, DEFAULT_LIMITS, 0, "");
      const settings = { priority: "bulk", ttlSeconds: record.ttlSeconds } as const;
      ({ jobId } = makeJob(request, record, settings));
    } catch {
      // A record that was refused: it never was a job.
      continue;
    }
    await queue.cancel([jobId], runOwner(run));
  }
}

/** Redis has forgotten it; the spool has not. */
async function purgeForgotten(
  run: string,
  store: RunStore,
  spool: Spool | undefined,
): Promise<void> {
  if (spool === undefined || !(await spool.has(run))) await store.read(run);
  await spool?.remove(run);
}

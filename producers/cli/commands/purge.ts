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
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { LOGS } from "../options/messages.js";
import { pick } from "../options/option-spec.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { RUN } from "../options/run.js";

const GROUPS = {
  run: pick(RUN, "force", "spool"),
  redis: REDIS_ADDRESS,
  messages: LOGS,
};

export function addPurge(program: Command): void {
  const command = program
    .command("purge")
    .argument("<run>", "the run's id")
    .description("remove a run, its rankings included, from Redis and from the spool")
    .action(async (run: string, parsed: Record<string, unknown>) => {
      const values = readOptions(GROUPS, parsed);
      const redis = await requireRedis(
        values.redis.redisUrl,
        createLogger(values.messages.logLevel ?? "warn", 2),
      );
      try {
        const store = new RunStore(redis);
        const record = await store.find(checkRunId(run));
        const spool =
          values.run.spool === undefined ? undefined : await requireSpool(values.run.spool);
        if (record === undefined) await purgeForgotten(run, store, spool);
        else {
          const parts = openRun(redis, record.tag);
          await purge(run, record, parts, values.run.spool, values.run.force);
          await parts.queue.close();
        }
        say(`run ${run} is gone`);
        process.exitCode = EXIT.ok;
      } finally {
        redis.disconnect();
      }
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill purge RUN"],
    notes: [
      `Files that "rankmill results" wrote stay. A run that is under way is refused; with --force it is cancelled first. Needs REDIS_URL.`,
    ],
  });
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

import type { Command } from "commander";
import { modelTag } from "../../../src/core/names.js";
import { RunStore, type RunRecord } from "../../../src/runs/run-store.js";
import type { RunStatus } from "../../../src/runs/submitted-run.js";
import { createLogger, print, requireRedis } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { isOver, lookAt, openRun, waitForRun } from "../open-run.js";
import { commanderOptions, pickValues } from "../option-values.js";

const OPTION_NAMES = ["redisUrl", "json", "watch", "logLevel"] as const;

export function addStatus(program: Command): void {
  const command = program
    .command("status")
    .argument("[run]", "the run's id; without it, all runs are listed")
    .description("show how a submitted run stands")
    .addHelpText(
      "after",
      "\nWith --json: {run, state, total, done, failed, waiting, active, …}. Needs REDIS_URL.",
    )
    .action(async (run: string | undefined, parsed: Record<string, unknown>) => {
      process.exitCode = await status(run, parsed);
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function status(run: string | undefined, parsed: Record<string, unknown>): Promise<number> {
  const values = pickValues(OPTION_NAMES, parsed);
  const logger = createLogger(values.logLevel ?? "warn", 2);
  const redis = await requireRedis(values.redisUrl, logger);
  try {
    const store = new RunStore(redis);
    const runs = run === undefined ? await store.list() : [run];
    const shown: Shown[] = [];
    for (const one of runs) {
      const record = await store.read(one);
      const parts = openRun(redis, record.tag);
      if (values.watch === true && run !== undefined) await waitForRun(one, parts);
      const now = await store.read(one);
      shown.push(show(one, now, await lookAt(one, now, parts), parts.queue.queueNames));
      await parts.queue.close();
    }
    if (values.json === true) print(JSON.stringify(run === undefined ? shown : shown[0]));
    else if (shown.length === 0) print("no runs in this Redis");
    else for (const one of shown) print(describe(one));
    return EXIT.ok;
  } finally {
    redis.disconnect();
  }
}

interface Shown {
  readonly run: string;
  readonly state: string;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly waiting: number;
  readonly active: number;
  readonly pairs: number;
  readonly tokens: number;
  readonly truncated: number;
  readonly model: string;
  readonly queues: readonly string[];
  readonly input: string;
  readonly created_at: string;
}

function show(run: string, record: RunRecord, now: RunStatus, queues: readonly string[]): Shown {
  const over = isOver(record, now);
  return {
    run,
    state: over && record.state === "submitted" ? "complete" : record.state,
    total: now.total,
    done: now.counts.done,
    failed: now.counts.failed,
    waiting: now.waiting,
    active: now.active,
    pairs: now.counts.pairs,
    tokens: now.counts.tokens,
    truncated: now.counts.truncated,
    model: modelTag({ name: record.model, revision: record.revision, precision: record.precision }),
    queues,
    input: record.input,
    created_at: record.createdAt,
  };
}

function describe(shown: Shown): string {
  return [
    `run      ${shown.run} (${shown.state})`,
    `records  ${shown.done} done, ${shown.failed} failed, ${shown.active} active, ${shown.waiting} waiting, of ${shown.total}`,
    `pairs    ${shown.pairs} (${shown.tokens} tokens, ${shown.truncated} truncated)`,
    `model    ${shown.model}`,
    `queues   ${shown.queues.join("  ")}`,
    `input    ${shown.input}, submitted ${shown.created_at}`,
  ].join("\n");
}

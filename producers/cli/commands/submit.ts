import { createHash, randomUUID } from "node:crypto";
import type { Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { modelTag } from "../../../src/core/names.js";
import { prepareJob } from "../../../src/queue/prepare-job.js";
import { openInput } from "../../../src/runs/formats/open-input.js";
import { readInput } from "../../../src/runs/input.js";
import { checkRunId, type RunRecord } from "../../../src/runs/run-store.js";
import { submitRecords } from "../../../src/runs/submitted-run.js";
import {
  checkMaxLength,
  createLogger,
  limitsOf,
  print,
  required,
  requireRedis,
  say,
  truncationOf,
} from "../context.js";
import { EXIT } from "../exit-codes.js";
import { findModel } from "../find-model.js";
import { commanderOptions, pickValues } from "../options.js";
import { openRun, waitForRun } from "../open-run.js";

const OPTION_NAMES = [
  "input",
  "model",
  "precision",
  "modelsDir",
  "redisUrl",
  "runId",
  "topN",
  "maxLength",
  "truncation",
  "maxDocuments",
  "maxQueryChars",
  "maxDocumentChars",
  "maxJobBytes",
  "runTtl",
  "wait",
  "logLevel",
] as const;

const RUN_ID_HASH_CHARS = 16;

export function addSubmit(program: Command): void {
  const command = program
    .command("submit")
    .description("enqueue a file as a run and leave; workers do the rest")
    .addHelpText(
      "after",
      `
Prints the run's id, last, on standard output. The same file under the same settings is the same
run: submitting it again joins what is under way and repeats nothing. Needs REDIS_URL.`,
    )
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await submit(parsed);
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function submit(parsed: Record<string, unknown>): Promise<number> {
  const values = pickValues(OPTION_NAMES, parsed);
  const input = required(values.input, "--input");
  const logger = createLogger(values.logLevel ?? "warn", 2);
  const limits = limitsOf(values);
  if (values.runId !== undefined) checkRunId(values.runId);
  // Before anything is written: a file that cannot be read is an error of the arguments.
  const opened = await openInput(input, { stdin: process.stdin });
  const redis = await requireRedis(values.redisUrl, logger);
  try {
    const model = await findModel(redis, values);
    const scoring = {
      maxLength: checkMaxLength(values.maxLength, model),
      truncation: truncationOf(values),
    };
    const tag = modelTag(model);
    const topN = values.topN === 0 ? undefined : values.topN;
    const settings = [tag, scoring.maxLength, scoring.truncation, topN ?? null];
    const run = values.runId ?? (await deriveRunId(input, settings));
    const record: RunRecord = {
      model: model.name,
      revision: model.revision,
      precision: model.precision,
      tag,
      state: "submitting",
      input,
      ...scoring,
      total: 0,
      chunks: 0,
      ttlSeconds: values.runTtl,
      createdAt: new Date().toISOString(),
    };
    const parts = openRun(redis, tag);
    const before = await parts.store.find(run);
    if (before !== undefined) checkSameRun(run, before, record);
    await parts.store.save(run, { ...record, createdAt: before?.createdAt ?? record.createdAt });
    const records = readInput(opened.chunks, {
      limits,
      topN,
      doneIds: new Set(),
      onIgnoredField: (field, line) => say(`line ${line}: unknown field "${field}" is ignored`),
    });
    const submitted = await submitRecords(
      run,
      record,
      records,
      ({ request }) =>
        prepareJob(request, scoring, { priority: "bulk", ttlSeconds: values.runTtl }),
      parts,
      (total) => logger.info({ run, total }, "submitted"),
    );
    say(`${submitted.total} records submitted to ${parts.queue.queueNames.at(-1) ?? tag}`);
    const code = values.wait === true ? await waitForRun(run, parts) : EXIT.ok;
    await parts.queue.close();
    print(run);
    return code;
  } finally {
    redis.disconnect();
  }
}

/** The same bytes under the same settings are the same run; a stream is a run of its own. */
async function deriveRunId(input: string, settings: readonly unknown[]): Promise<string> {
  if (input === "-") return `run-${randomUUID()}`;
  const hash = createHash("sha256").update(JSON.stringify(settings));
  const { chunks } = await openInput(input, { stdin: process.stdin });
  for await (const chunk of chunks) hash.update(chunk);
  return `run-${hash.digest("hex").slice(0, RUN_ID_HASH_CHARS)}`;
}

/** @throws RankmillError `usage` where the id belongs to a run under other settings */
function checkSameRun(run: string, before: RunRecord, now: RunRecord): void {
  const keys = ["tag", "maxLength", "truncation"] as const;
  const differing = keys.filter((key) => before[key] !== now[key]);
  if (differing.length === 0) return;
  const list = differing.map((key) => `${key} was ${before[key]}, is ${now[key]}`).join("; ");
  throw new RankmillError("usage", `--run ${run}: was submitted under other settings (${list})`);
}

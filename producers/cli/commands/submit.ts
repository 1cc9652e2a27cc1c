import { createHash, randomUUID } from "node:crypto";
import type { Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { modelTag } from "../../../src/redis/keys.js";
import { makeJob } from "../../../src/redis/make-job.js";
import { checkPlace, outputPaths } from "../../../src/outputs/output-paths.js";
import { checkRunId, type RunInfo } from "../../../src/redis/run-store.js";
import { openSource } from "../../../src/inputs/open-source.js";
import { digestOf } from "../../../src/inputs/digest-source.js";
import { runOwner, submitRecords } from "../../../src/runs/submitted-run.js";
import { createLogger, print, required, requireRedis, requireSpool, say } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { keepHeapSmall } from "../heap.js";
import { findModel } from "../find-model.js";
import { inputChoice } from "../input-choice.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { INPUT } from "../options/input.js";
import { LIMITS } from "../options/limits.js";
import { LOGS } from "../options/messages.js";
import { FIND_MODEL } from "../options/model.js";
import { pick } from "../options/option-spec.js";
import { OUTPUT_FILE } from "../options/output.js";
import { REDIS } from "../options/redis.js";
import { RUN } from "../options/run.js";
import { RESULTS, SCORING, SCORING_NAMES } from "../options/scoring.js";

import { scoringOf } from "../scoring-from-options.js";
import { waitForRun } from "../wait-for-run.js";
import { openRun } from "../../../src/app/runs/open-run.js";
import { writeResults } from "./results.js";

const GROUPS = {
  input: INPUT,
  model: FIND_MODEL,
  results: RESULTS,
  scoring: SCORING,
  run: pick(RUN, "runId", "spool", "runTtl", "wait"),
  output: OUTPUT_FILE,
  redis: pick(REDIS, "redisUrl", "inFlightJobs"),
  limits: LIMITS,
  messages: LOGS,
};

const RUN_ID_HASH_CHARS = 16;

export function addSubmit(program: Command): void {
  const command = program
    .command("submit")
    .description("enqueue a file as a run and leave; workers do the rest")
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await submit(parsed);
    });
  addOptions(command, GROUPS, ["input", "model", "output", "wait", "spool", "redisUrl"]);
  addHelp(command, {
    examples: [
      "rankmill submit --model minilm --input queries.jsonl",
      "rankmill submit --model minilm --input queries.jsonl --output rankings.jsonl",
    ],
    notes: [
      `Without --spool the whole run goes into Redis. With --spool the run lies in the spool, a runner owns it ("rankmill runner"), and Redis holds a part of it at a time. --output waits for the end and writes the rankings, as "rankmill results" does. The last line on standard output is the run's id. The same file with the same settings is the same run: if it is submitted again, it joins what is under way and repeats nothing. Needs REDIS_URL.`,
    ],
  });
}

async function submit(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  keepHeapSmall();
  const input = required(values.input.input, "--input");
  const logger = createLogger(values.messages.logLevel ?? "warn", 2);
  const { limits } = values;
  if (values.run.runId !== undefined) checkRunId(values.run.runId);
  const { output } = values.output;
  if (output !== undefined && output !== "-") await checkPlace(outputPaths(output));
  // Before anything is written: a file that cannot be read is an error of the arguments.
  const topN = values.results.topN === 0 ? undefined : values.results.topN;
  const modelNames = values.model.model === undefined ? [] : [values.model.model];
  const source = await openSource(inputChoice(input, values.input), {
    limits,
    topN,
    stdin: process.stdin,
    onNote: say,
    modelNames: () => modelNames,
  });
  const redis = await requireRedis(values.redis.redisUrl, logger);
  try {
    const model = await findModel(redis, values.model);
    modelNames.unshift(model.name);
    const scoring = scoringOf(values.scoring, model);
    const tag = modelTag(model);
    const settings = [tag, scoring, topN ?? null];
    const inputHash = (await digestOf(source)) ?? "";
    const run = values.run.runId ?? deriveRunId(inputHash, settings);
    const record: RunInfo = {
      model: model.name,
      revision: model.revision,
      precision: model.precision,
      tag,
      state: "submitting",
      spooled: values.run.spool === undefined ? "no" : "yes",
      windowJobs: values.redis.inFlightJobs,
      input,
      inputHash,
      ...scoring,
      total: 0,
      chunks: 0,
      ttlSeconds: values.run.runTtl,
      createdAt: new Date().toISOString(),
    };
    const parts = openRun(redis, tag);
    const before = await parts.store.find(run);
    if (before !== undefined) checkSameRun(run, before, record);
    const spool = values.run.spool === undefined ? undefined : await requireSpool(values.run.spool);
    if (
      before === undefined &&
      values.run.runId !== undefined &&
      (await spool?.has(run)) === true
    ) {
      throw new RankmillError(
        "conflict",
        `--run ${run}: the spool holds a run of this name that Redis has forgotten: purge it, or choose another name`,
      );
    }
    await parts.store.bindInput(run, inputHash, values.run.runTtl);
    // Its cancellation may have been killed half way.
    await parts.queue.unblockOwner(runOwner(run));
    const records = source.read(new Set());
    let total: number;
    if (spool === undefined) {
      await parts.store.save(run, { ...record, createdAt: before?.createdAt ?? record.createdAt });
      const submitted = await submitRecords(
        run,
        record,
        records,
        ({ request }) =>
          makeJob(request, scoring, { priority: "bulk", ttlSeconds: values.run.runTtl }),
        parts,
        (soFar) => logger.info({ run, total: soFar }, "submitted"),
      );
      total = submitted.total;
    } else {
      // Seen by others from now on; runners wait until it is submitted.
      if (before === undefined) await parts.store.save(run, record);
      try {
        await spool.put(run, records);
      } catch (error) {
        // A full disk, a file cut short: nobody could go on with it.
        if (before === undefined) await parts.store.remove(run, record);
        throw error;
      }
      const known = before !== undefined && before.state !== "submitting";
      total = known ? before.total : await spool.countRecords(run);
      const { windowJobs } = record;
      const spooled = { ...(before ?? record), spooled: "yes", windowJobs, total } as const;
      // A run that is over stays so; one that was cancelled goes on.
      const state = before?.state === "complete" ? "complete" : "submitted";
      await parts.store.save(run, { ...spooled, state });
    }
    say(
      `${total} records submitted to ${values.run.spool ?? parts.queue.queueNames.at(-1) ?? tag}`,
    );
    const wait = values.run.wait || output !== undefined;
    let code: number = wait ? await waitForRun(run, parts) : EXIT.ok;
    if (output !== undefined) code = await writeResults(run, parts, output, values.run.spool);
    await parts.queue.close();
    // Rankings on standard output stand alone there.
    if (output === "-") say(run);
    else print(run);
    return code;
  } finally {
    redis.disconnect();
    await source.close();
  }
}

/** The same bytes under the same settings are the same run; a stream is a run of its own. */
function deriveRunId(inputHash: string, settings: readonly unknown[]): string {
  if (inputHash === "") return `run-${randomUUID()}`;
  const hash = createHash("sha256").update(JSON.stringify([inputHash, settings]));
  return `run-${hash.digest("hex").slice(0, RUN_ID_HASH_CHARS)}`;
}

/** @throws RankmillError `conflict` where the id belongs to a run under other settings */
function checkSameRun(run: string, before: RunInfo, now: RunInfo): void {
  const keys = ["tag", ...SCORING_NAMES, "spooled"] as const;
  const differing = keys.filter((key) => before[key] !== now[key]);
  if (differing.length === 0) return;
  const list = differing.map((key) => `${key} was ${before[key]}, is ${now[key]}`).join("; ");
  throw new RankmillError("conflict", `--run ${run}: was submitted under other settings (${list})`);
}

import type { Command } from "commander";
import { checkOutput } from "../../../src/outputs/check-output.js";
import { placesRead } from "../../../src/inputs/places-read.js";
import { openSource } from "../../../src/inputs/open-source.js";
import { submitRun, type Submitted } from "../../../src/app/runs/submit-run.js";
import { modelTag, queueName } from "../../../src/redis/keys.js";
import type { Runs } from "../../../src/app/runs/runs.js";
import { checkRunId } from "../../../src/redis/run-info.js";
import { createLogger } from "../context.js";
import { print, say } from "../terminal.js";
import { counted } from "../../../src/core/counted.js";
import { EXIT } from "../exit-codes.js";
import { keepHeapSmall } from "../heap.js";
import { findModel } from "../find-model.js";
import { inputChoice } from "../input-choice.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions, type CommandValues } from "../options/command-options.js";
import { INPUT } from "../options/input.js";
import { LIMITS } from "../options/limits.js";
import { LOGS } from "../options/messages.js";
import { FIND_MODEL } from "../options/model.js";
import { requireOptions } from "../options/required-options.js";
import { pick } from "../options/option-spec.js";
import { OUTPUT_FILE } from "../options/output.js";
import { REDIS } from "../options/redis.js";
import { RUN } from "../options/run.js";
import { withRuns } from "../with-runs.js";
import { RESULTS, SCORING } from "../options/scoring.js";

import { sayMissingWorker } from "../say-missing-worker.js";
import { SubmitProgress } from "../submit-progress.js";
import { scoringOf } from "../scoring-from-options.js";
import { waitForRun } from "../wait-for-run.js";
import { writeResults } from "./results.js";

const GROUPS = {
  input: INPUT,
  model: FIND_MODEL,
  results: RESULTS,
  scoring: SCORING,
  run: pick(RUN, "runId", "spool", "runTtl", "wait"),
  output: OUTPUT_FILE,
  redis: pick(REDIS, "redisUrl", "redisCa", "redisCert", "redisKey", "inFlightJobs"),
  limits: LIMITS,
  messages: LOGS,
};

export function defineSubmit(command: Command): void {
  command.action(async (parsed: Record<string, unknown>) => {
    process.exitCode = await submit(parsed);
  });
  addOptions(command, GROUPS, ["input", "model", "output", "wait", "spool", "redisUrl"]);
  addHelp(command, {
    examples: [
      "rankmill submit --model ms-marco-MiniLM-L6-v2 --input queries.jsonl",
      "rankmill submit --model builtin-bm25 --input queries.jsonl --output out.jsonl",
    ],
    notes: [
      `Without --spool the whole run goes into Redis. With --spool the run lies in the spool, a runner owns it ("rankmill runner"), and Redis holds a part of it at a time. --output waits for the end and writes the rankings, as "rankmill results" does. The last line on standard output is the run's id. The same file with the same settings is the same run: if it is submitted again, it joins what is under way and repeats nothing. Needs REDIS_URL.`,
    ],
  });
}

async function submit(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  keepHeapSmall();
  const { input, model: modelName } = requireOptions({
    input: values.input.input,
    model: values.model.model,
    redisUrl: values.redis.redisUrl,
  });
  const logger = createLogger(values.messages, "warn", 2);
  if (values.run.runId !== undefined) checkRunId(values.run.runId);
  const { output } = values.output;
  const choice = inputChoice(input, values.input);
  if (output !== undefined) await checkOutput(output, placesRead(choice));
  const modelNames = [modelName];
  const topN = values.results.topN === 0 ? undefined : values.results.topN;
  // Before anything is written: a file that cannot be read is an error of the arguments.
  const source = await openSource(choice, {
    limits: values.limits,
    topN,
    stdin: process.stdin,
    onNote: say,
    modelNames: () => modelNames,
  });
  const progress = new SubmitProgress(process.stderr, input, () => source.count());
  try {
    return await withRuns(values, async (runs) => {
      const model = await findModel(runs.redis, values.model);
      modelNames.unshift(model.name);
      const submission = {
        source,
        input,
        model,
        scoring: scoringOf(values.scoring, model),
        topN,
        run: values.run.runId,
        ttlSeconds: values.run.runTtl,
        inFlightJobs: values.redis.inFlightJobs,
        spool: values.run.spool === undefined ? undefined : await runs.spool(),
        onProgress: (run: string, total: number) => {
          progress.note(total);
          logger.info({ run, total }, "submitted");
        },
      };
      const submitted = await submitRun(submission, runs);
      progress.stop();
      return await follow(submitted, runs, values);
    });
  } finally {
    progress.stop();
    await source.close();
  }
}

/** Says what was submitted; waits for it and writes its rankings as far as that was asked for. */
async function follow(
  { run, total }: Submitted,
  runs: Runs,
  { run: { spool, wait }, output: { output } }: CommandValues<typeof GROUPS>,
): Promise<number> {
  const { model, input } = await run.summary();
  if (total === 0) say(`${input === "-" ? "standard input" : input} holds no record`);
  say(`${counted(total, "record")} submitted to ${spool ?? queueName(modelTag(model), "bulk")}`);
  await sayMissingWorker(runs.redis, { model });
  let code: number = wait || output !== undefined ? await waitForRun(run) : EXIT.ok;
  if (output !== undefined && code !== EXIT.interrupted) code = await writeResults(run, output);
  // Rankings on standard output stand alone there.
  if (output === "-") say(run.id);
  else print(run.id);
  return code;
}

import type { Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { evaluateFile } from "../../../src/outputs/evaluate-file.js";
import { openSource } from "../../../src/inputs/open-source.js";
import { createLogger, env, limitsOf, preparedDir, print, required, say } from "../context.js";
import { chooseDevice, DEVICE_OPTION_NAMES } from "../choose-device.js";
import { dryRun } from "../../../src/app/dry-run.js";
import { reportDryRun } from "../dry-run-report.js";
import { loadQrels, reportEvaluation } from "../evaluation-report.js";
import { EXIT } from "../exit-codes.js";
import { withFlags } from "../say-error.js";
import { LANE_OPTION_NAMES, laneOptions } from "../lane-options.js";
import {
  INPUT_OPTION_NAMES,
  forOutput,
  inputChoice,
  OUTPUT_OPTION_NAMES,
  outputFormat,
  sourceSettings,
} from "../input-choice.js";
import { commanderOptions, pickValues } from "../option-values.js";
import { SCORING_OPTION_NAMES, scoringOf } from "../scoring-from-options.js";
import { formatDuration, Progress } from "../progress.js";
import { runFile } from "../../../src/app/run-file.js";
import { stopSignal } from "../stop-signal.js";

const OPTION_NAMES = [
  ...INPUT_OPTION_NAMES,
  "output",
  ...OUTPUT_OPTION_NAMES,
  "qrels",
  "dryRun",
  "json",
  "model",
  "precision",
  ...DEVICE_OPTION_NAMES,
  "modelsDir",
  "preparedDir",
  "prepare",
  "topN",
  ...SCORING_OPTION_NAMES,
  "forceNew",
  "redisUrl",
  ...LANE_OPTION_NAMES,
  "tokenizer",
  "windowJobs",
  "windowBytes",
  "maxDocuments",
  "maxQueryChars",
  "maxDocumentChars",
  "maxJobBytes",
  "drainTimeout",
  "logLevel",
] as const;

export function addRun(program: Command): void {
  const command = program
    .command("run")
    .description("rerank a file, from input to output, in one command")
    .addHelpText(
      "after",
      `
Finds Redis (REDIS_URL, else redis-server or valkey-server on PATH, started privately, else a
built-in server that is slow and in memory), starts a worker, and writes rankings as they arrive to
OUT.partial, renamed to OUT at the end. Run again after any interruption it goes on from there.
Beside the output: OUT.manifest.json, and OUT.failed.jsonl where records failed. An output that is
not JSONL is made at the end of OUT.rankings.jsonl, which stays.

Reads JSONL, one {"id", "query", "documents"} a line; OpenAI's batch lines; {"id", "query",
"document"}; FlagEmbedding's {"query", "pos", "neg"}. A folder is a collection: corpus.jsonl and
queries.jsonl as BEIR has them, or collection.tsv and queries.tsv, with --first-stage RUN.trec.
With --qrels the output is evaluated once it is whole, beside the first stage, as \`eval\` does.

Exit codes: 0 every record has a ranking; 3 some failed; 2 arguments or input cannot be used;
5 Redis cannot be used; 130 interrupted; 1 anything else.`,
    )
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await run(parsed);
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function run(parsed: Record<string, unknown>): Promise<number> {
  const values = pickValues(OPTION_NAMES, parsed);
  const input = required(values.input, "--input");
  const isDryRun = values.dryRun === true;
  const output = isDryRun ? (values.output ?? "") : required(values.output, "--output");
  const logger = createLogger(values.logLevel ?? "warn", 2);
  const { device, model } = await chooseDevice(values, ({ note, unexpected }) => {
    if (unexpected) say(note);
    else logger.info(note);
  });
  const started = performance.now();
  const choice = inputChoice(input, values);
  const format = await outputFormat(output, choice, values);
  const topN = values.topN === 0 ? undefined : values.topN;
  const limits = limitsOf(values);
  if (values.qrels !== undefined && output === "-") {
    throw new RankmillError(
      "invalid_option",
      "--qrels: needs a file as --output, not standard output",
    );
  }
  const qrels =
    values.qrels === undefined ? undefined : await loadQrels(values.qrels, limits.maxJobBytes);
  if (qrels !== undefined && values.firstStage !== undefined) {
    // Judgements of another collection are known before the run, not after hours of it.
    await evaluateFile(values.firstStage, qrels, {
      maxLineBytes: limits.maxJobBytes,
      ignoreIdenticalIds: false,
    });
  }
  const window = { maxJobs: values.windowJobs, maxBytes: values.windowBytes };
  const scoring = scoringOf(values, model);
  const tokenizer = values.tokenizer as "auto";
  const source = await openSource(forOutput(choice, format), {
    limits,
    topN,
    accepts: format.accepts,
    stdin: process.stdin,
    onNote: say,
    modelNames: () => [model.name, ...(model.entry?.aliases ?? [])],
  });
  if (isDryRun) {
    const { lanes } = values;
    const figures = await dryRun({ source, model, device, scoring, window, lanes, tokenizer, env });
    await source.close();
    if (values.json === true) print(JSON.stringify(figures, null, 2));
    else for (const line of reportDryRun(figures)) print(line);
    return figures.failed === 0 ? EXIT.ok : EXIT.someFailed;
  }
  const result = await runFile({
    input,
    source,
    sourceSettings: await sourceSettings(choice),
    format,
    output,
    model,
    device,
    preparedDir: values.prepare === false ? undefined : preparedDir(values.preparedDir),
    scoring,
    topN,
    limits,
    window,
    forceNew: values.forceNew === true,
    redisUrl: values.redisUrl,
    lanes: laneOptions(values),
    tokenizer,
    drainTimeoutMs: values.drainTimeout * 1000,
    logger,
    env,
    show: {
      note: (text) => say(withFlags(text)),
      rankings: process.stdout,
      progress: (figures) => new Progress(process.stderr, figures),
    },
    signal: stopSignal(),
  });
  await source.close();
  const { counts, paths } = result;
  const seconds = (performance.now() - started) / 1000;
  say(
    `${counts.done} ranked, ${counts.failed} failed · ${counts.pairs} pairs, ${counts.tokens} tokens, ${counts.truncated} truncated · ${formatDuration(seconds)}`,
  );
  if (result.status === "interrupted") {
    say(`interrupted: ${paths?.partial ?? "nothing to go on from"}; run again to go on`);
    return EXIT.interrupted;
  }
  if (paths !== undefined) say(`rankings: ${paths.output}`);
  // Before the evaluation, which may find nothing to evaluate.
  if (paths !== undefined && counts.failed > 0) {
    say(
      `failed records, with the reason: ${paths.failed} ("rankmill failures ${paths.output}" lists them)`,
    );
  }
  if (paths !== undefined && qrels !== undefined) {
    await reportEvaluation(paths.output, values.firstStage, qrels, {
      maxLineBytes: limits.maxJobBytes,
      ignoreIdenticalIds: false,
      json: values.json === true,
    });
  }
  return counts.failed === 0 ? EXIT.ok : EXIT.someFailed;
}

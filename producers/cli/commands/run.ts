import type { Command } from "commander";
import type { Logger } from "pino";
import { dryRun } from "../../../src/app/dry-run.js";
import { runFile } from "../../../src/app/run-file.js";
import type { RunFileResult } from "../../../src/app/run-file/run-file-options.js";
import type { WorkerDevice } from "../../../src/inference/devices/registry.js";
import type { WorkerRuntime } from "../../../src/inference/runtime/registry.js";
import { numbersName } from "../../../src/core/forms/numbers.js";
import { RankmillError } from "../../../src/core/errors.js";
import type { ResolvedScoring } from "../../../src/core/job.js";
import type { Qrels } from "../../../src/core/evaluation.js";
import type { RecordSource } from "../../../src/core/ports/record-source.js";
import type { InputChoice } from "../../../src/core/ports/input-container.js";
import type { OutputFormat } from "../../../src/core/ports/output-format.js";
import { placesRead, type PlaceRead } from "../../../src/inputs/places-read.js";
import { openSource } from "../../../src/inputs/open-source.js";
import { describeFailure } from "../../../src/runs/failure-listing.js";
import { Closers } from "../../../src/platform/closers.js";
import { unlessAborted } from "../../../src/platform/unless-aborted.js";
import type { ResolvedModel } from "../../../src/models/resolve.js";
import { checkOutput } from "../../../src/outputs/check-output.js";
import { evaluateFile } from "../../../src/outputs/evaluate-file.js";
import { chooseDevice } from "../choose-device.js";
import { createLogger, preparedDir } from "../context.js";
import { redisOf } from "../redis-target.js";
import { env, print, printLines, say } from "../terminal.js";
import { measuredWays, type WayRow } from "../measured-ways.js";
import { timesOfInput } from "../times-of-ways.js";
import { wayAsJson, wayTableOfInput } from "../way-table.js";
import { reportDryRun } from "../dry-run-report.js";
import { loadQrels, reportEvaluation } from "../evaluation-report.js";
import { counted } from "../../../src/core/counted.js";
import { EXIT } from "../exit-codes.js";
import { askForModel, canAsk, findOrFetch } from "../model-of-run.js";
import { int8FormOf, numbersOfOutput } from "../numbers-of-output.js";
import { besideInput } from "../output-beside-input.js";
import { forOutput, inputChoice, outputFormat, sourceSettings } from "../input-choice.js";
import { laneOptions } from "../lane-options.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions, type CommandValues } from "../options/command-options.js";
import { DEVICE } from "../options/device.js";
import { DOWNLOAD } from "../options/download.js";
import { EVALUATION } from "../options/evaluation.js";
import { FETCH } from "../options/fetch.js";
import { INPUT } from "../options/input.js";
import { LANES } from "../options/lanes.js";
import { LIMITS } from "../options/limits.js";
import { MESSAGES } from "../options/messages.js";
import { MODEL } from "../options/model.js";
import { requireOptions } from "../options/required-options.js";
import { pick } from "../options/option-spec.js";
import { OUTPUT } from "../options/output.js";
import { inFlightBounds, REDIS } from "../options/redis.js";
import { RESULTS, SCORING } from "../options/scoring.js";
import { SHUTDOWN, WORKER } from "../options/worker.js";
import { paint, painted } from "../painted.js";
import { runSummary } from "../run-summary.js";
import { quoted, shownPath } from "../shown-path.js";
import { scoringOf } from "../scoring-from-options.js";
import { fleetOf, settlePrecision } from "../settle-precision.js";
import { showRun } from "../show-run.js";
import { stopSignal } from "../stop-signal.js";
import { reasonWithFlags } from "../say-error.js";

const GROUPS = {
  input: INPUT,
  output: OUTPUT,
  evaluation: pick(EVALUATION, "qrels"),
  model: MODEL,
  fetch: FETCH,
  download: pick(DOWNLOAD, "hubEndpoint", "hubToken", "acceptLicence"),
  device: DEVICE,
  results: RESULTS,
  scoring: SCORING,
  lanes: LANES,
  worker: WORKER,
  shutdown: SHUTDOWN,
  redis: REDIS,
  limits: LIMITS,
  messages: MESSAGES,
};

type RunValues = CommandValues<typeof GROUPS>;

export function defineRun(command: Command): void {
  command
    .argument("[input]")
    .action(async (input: string | undefined, parsed: Record<string, unknown>) => {
      process.exitCode = await run(withPlaces(readOptions(GROUPS, parsed), input));
    });
  addOptions(command, GROUPS, ["input", "output", "model", "precision", "topN", "dryRun"]);
  addHelp(command, {
    examples: [
      "rankmill run questions.csv --model builtin-bm25",
      `rankmill run --model ms-marco-MiniLM-L6-v2 --input ./scifact \\
  --first-stage bm25.trec --output reranked.trec --output-format trec`,
    ],
    notes: [
      `Input: JSON lines, a JSON array, or CSV or TSV with a header. A record has "query" and "documents", or a single "document"; other usual names are understood, and ids may be left out. OpenAI's batch lines and FlagEmbedding's {"query", "pos", "neg"} are read too. A folder is a collection: corpus.jsonl and queries.jsonl as BEIR has them, or collection.tsv and queries.tsv, with --first-stage.`,
      `Output: without --output the file lies beside the input, as NAME.ranked.jsonl. Rankings are written to OUT.partial as they arrive, which becomes OUT at the end. If the run is interrupted, the same command goes on from there. Beside it stand OUT.manifest.json and, if records failed, OUT.failed.jsonl. An output that is not JSONL is made at the end from OUT.rankings.jsonl, which stays.`,
      `Redis: REDIS_URL; else redis-server or valkey-server on PATH, started privately; else a built-in server, which is slow.`,
      `Exit codes: 0 every record has a ranking; 3 some failed; 2 arguments or input cannot be used; 5 Redis cannot be used; 130 interrupted; 1 anything else.`,
    ],
  });
}

/** The values with the input that stands without a flag, and the output that goes with it. */
function withPlaces(values: RunValues, positional: string | undefined): RunValues {
  const { input: flagged } = values.input;
  if (positional !== undefined && flagged !== undefined) {
    throw new RankmillError(
      "invalid_option",
      `--input: is given twice, as "${positional}" and as "${flagged}", and takes one value`,
    );
  }
  const input = positional ?? flagged;
  const {
    output = input === undefined ? undefined : besideInput(input, values.output.outputFormat),
  } = values.output;
  return {
    ...values,
    input: { ...values.input, input },
    output: { ...values.output, output },
  };
}

/** A process that took longer has done other things before. */
const MOST_BOOT_SECONDS = 5;
/** Seconds from the start of the process until this code was loaded. */
const BOOT_SECONDS = Math.min(performance.now() / 1_000, MOST_BOOT_SECONDS);

/** The parts of a run that its options name, opened and checked. */
interface Prepared {
  readonly input: string;
  /** Every place that is read: none of them is written. */
  readonly reads: readonly PlaceRead[];
  readonly output: string;
  readonly choice: InputChoice;
  readonly format: OutputFormat;
  readonly device: WorkerDevice;
  readonly runtime: WorkerRuntime;
  /** The model as it was asked for. */
  readonly name: string;
  readonly model: ResolvedModel;
  readonly source: RecordSource;
  readonly scoring: ResolvedScoring;
  readonly qrels: Qrels | undefined;
  readonly logger: Logger;
  readonly topN: number | undefined;
}

/** A run can be gone on with from wherever it stands: its end is not worth a longer wait. */
const STOP_DEADLINE_MS = 2_800;

async function run(values: RunValues): Promise<number> {
  const started = performance.now();
  if (values.output.compare && !values.output.dryRun) {
    throw new RankmillError(
      "invalid_option",
      "--compare: shows what a run would take: give --dry-run too, or leave it out",
    );
  }
  const signal = stopSignal({
    deadlineMs: STOP_DEADLINE_MS,
    onLate: () => say("interrupted while something did not answer; run again to go on"),
  });
  const closers = new Closers();
  try {
    const prepared = await unlessAborted(prepare(values, closers, signal), signal);
    if (values.output.dryRun) return await unlessAborted(forecast(values, prepared), signal);
    const result = await rank(values, prepared, signal);
    return await report(values, prepared, result, (performance.now() - started) / 1000);
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    say("interrupted; run again to go on");
    return EXIT.interrupted;
  } finally {
    await closers.closeAll();
  }
}

/** Everything that can be refused, before any work is done. */
async function prepare(
  values: RunValues,
  closers: Closers,
  signal: AbortSignal,
): Promise<Prepared> {
  const { input, output, model: name } = await places(values, signal);
  const logger = createLogger(values.messages, "warn", 2);
  const goesOn = output !== "-" && !values.output.dryRun && !values.output.forceNew;
  const earlier = goesOn ? await numbersOfOutput(output) : undefined;
  const int8Form = values.model.int8Form ?? int8FormOf(earlier);
  const find = async (): ReturnType<typeof chooseDevice> => {
    const asked = { ...values, model: { ...values.model, int8Form, model: name } };
    const fleet = values.output.dryRun ? undefined : fleetOf(values.redis, logger);
    const settled = await settlePrecision(asked, { tell: say, logger, fleet, earlier });
    return await chooseDevice(settled.device, settled.model, ({ note, unexpected }) => {
      if (unexpected) say(note);
      else logger.info(note);
    });
  };
  const { pull } = values.fetch;
  const { model: files, download } = values;
  const { device, runtime, model } = await findOrFetch(name, find, {
    pull,
    files,
    download,
    signal,
  });
  const choice = inputChoice(input, values.input);
  const format = await outputFormat(output, choice, values.output, values.results.topN);
  const reads = [
    ...placesRead(choice),
    ...(values.evaluation.qrels === undefined
      ? []
      : [{ option: "qrels", path: values.evaluation.qrels }]),
    { option: "model", path: model.folder.path },
  ];
  if (!values.output.dryRun) await checkOutput(output, reads, format.name);
  const topN = values.results.topN === 0 ? undefined : values.results.topN;
  const qrels = await judgements(values, output);
  const scoring = scoringOf(values.scoring, model);
  const source = await openSource(forOutput(choice, format), {
    limits: values.limits,
    topN,
    accepts: format.accepts,
    stdin: process.stdin,
    onNote: say,
    modelNames: () => [model.name, ...(model.entry?.aliases ?? [])],
  });
  closers.use("input", source, (one) => one.close());
  return {
    input,
    reads,
    output,
    choice,
    format,
    device,
    runtime,
    name,
    model,
    source,
    scoring,
    qrels,
    logger,
    topN,
  };
}

const INPUT_HINT = "; the input may stand alone: rankmill run FILE";

/** The three things that a run cannot do without. A model may be asked for, all else being there. */
async function places(
  values: RunValues,
  signal: AbortSignal,
): Promise<{ readonly input: string; readonly output: string; readonly model: string }> {
  const { input } = values.input;
  // A dry run writes nothing.
  const output = values.output.output ?? (values.output.dryRun ? "" : undefined);
  // Its name makes that of the output.
  if (input === undefined) requireOptions({ input, model: values.model.model }, INPUT_HINT);
  const asks = input !== undefined && input !== "-" && output !== undefined && canAsk();
  const model = values.model.model ?? (asks ? await askForModel(signal) : undefined);
  return requireOptions({ input, output, model });
}

/** Reads the judgements, and holds the first stage against them: not after hours of work. */
async function judgements(values: RunValues, output: string): Promise<Qrels | undefined> {
  const { qrels: path } = values.evaluation;
  if (path === undefined) return undefined;
  if (output === "-") {
    throw new RankmillError(
      "invalid_option",
      "--qrels: needs a file as --output, not standard output",
    );
  }
  const { maxJobBytes } = values.limits;
  const qrels = await loadQrels(path, maxJobBytes);
  if (values.input.firstStage !== undefined) {
    const options = { maxLineBytes: maxJobBytes, ignoreIdenticalIds: false };
    await evaluateFile(values.input.firstStage, qrels, options);
  }
  return qrels;
}

async function forecast(values: RunValues, prepared: Prepared): Promise<number> {
  const { source, model, device, runtime, scoring } = prepared;
  const figures = await dryRun({
    source,
    model,
    device,
    runtime,
    scoring,
    inFlight: inFlightBounds(values.redis),
    lanes: values.lanes.lanes,
    tokenizer: values.model.tokenizer,
    preparedDir: values.model.prepare ? preparedDir(values.model.preparedDir) : undefined,
    batch: values.lanes,
    logger: prepared.logger,
    bootSeconds: BOOT_SECONDS,
    env,
  });
  const { json } = values.messages;
  const ways = await comparedWays(values, prepared);
  const timeOf = timesOfInput(figures, ways ?? []);
  if (json) {
    const all = ways && { ways: ways.map((row) => wayAsJson(row, timeOf)) };
    print(JSON.stringify({ ...figures, ...all }, null, 2));
  } else {
    for (const line of reportDryRun(figures)) print(line);
    if (ways !== undefined) printLines("", ...wayTableOfInput(ways, timeOf));
  }
  return figures.failed === 0 ? EXIT.ok : EXIT.someFailed;
}

/** Every way to compute the model here, if that is asked for or was chosen among. */
async function comparedWays(
  values: RunValues,
  { model, name, logger }: Prepared,
): Promise<WayRow[] | undefined> {
  if (!values.output.compare && values.model.precision !== "auto") return undefined;
  return await measuredWays({ ...values, model: { ...values.model, model: name } }, logger, model);
}

async function rank(
  values: RunValues,
  prepared: Prepared,
  signal: AbortSignal,
): Promise<RunFileResult> {
  const { input, reads, output, choice, format, model, source, scoring, logger, topN } = prepared;
  return await runFile({
    input,
    reads,
    source,
    sourceSettings: await sourceSettings(choice),
    format,
    output,
    model,
    device: prepared.device,
    runtime: prepared.runtime,
    preparedDir: values.model.prepare ? preparedDir(values.model.preparedDir) : undefined,
    scoring,
    topN,
    limits: values.limits,
    inFlight: inFlightBounds(values.redis),
    forceNew: values.output.forceNew,
    redis: await redisOf(values.redis),
    lanes: laneOptions(values.lanes, values.worker),
    tokenizer: values.model.tokenizer,
    drainTimeoutMs: values.shutdown.drainTimeout * 1000,
    logger,
    env,
    show: showRun(output, `${model.name} ${numbersName(model)}`),
    signal,
  });
}

async function report(
  values: RunValues,
  { qrels }: Prepared,
  { counts, pairsBefore, paths, status, firstFailures }: RunFileResult,
  seconds: number,
): Promise<number> {
  const shown = (path: string): string => shownPath(path, values.output.output ?? "");
  say(...runSummary(counts, pairsBefore, seconds));
  if (counts.failedPairs > 0) {
    say(
      `${counted(counts.failedPairs, "document")} could not be scored: "errors" of their rankings say why`,
    );
  }
  if (status === "interrupted") {
    say(
      `interrupted: ${paths === undefined ? "nothing to go on from" : shown(paths.partial)}; run again to go on`,
    );
    return EXIT.interrupted;
  }
  if (paths !== undefined) {
    const output = shown(paths.output);
    say(`rankings: ${output}`);
    if (counts.done > 0)
      say(painted`to see some: ${paint("cyan", `rankmill show ${quoted(output)}`)}`);
  }
  // Before the evaluation, which may find nothing to evaluate.
  if (paths !== undefined && counts.failed > 0) {
    for (const failure of firstFailures) say(reasonWithFlags(describeFailure(failure).said));
    say(
      `failed records, with the reason: ${shown(paths.failed)} ("rankmill failures ${quoted(shown(paths.output))}" lists them)`,
    );
  }
  if (paths !== undefined && qrels !== undefined) {
    await reportEvaluation(paths.output, values.input.firstStage, qrels, {
      maxLineBytes: values.limits.maxJobBytes,
      ignoreIdenticalIds: false,
      json: values.messages.json,
    });
  }
  return counts.failed + counts.failedPairs === 0 ? EXIT.ok : EXIT.someFailed;
}

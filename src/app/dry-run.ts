import type { Logger } from "pino";
import type { ResolvedScoring } from "../core/job.js";
import type { TokenizerChoice } from "../tokenizers/kinds/registry.js";
import type { RecordFailure } from "../core/record.js";
import type { WorkerDevice } from "../inference/devices/registry.js";
import type { WorkerRuntime } from "../inference/runtime/registry.js";
import type { ResolvedModel } from "../models/resolve.js";
import { packPayload, makeJob } from "../redis/make-job.js";
import type { RecordSource } from "../core/ports/record-source.js";
import { sampleRecords, type DryRunSample, type SampledPair } from "../runs/dry-run-sample.js";
import { tokenHistogram, type HistogramRow } from "../runs/token-histogram.js";
import type { InFlightBounds } from "../core/in-flight-bounds.js";
import { batchLimits } from "../capacity/batch-defaults.js";
import { planBatches } from "../pipeline/batch/batch-plan.js";
import { forecastTime, type TimeForecast } from "./dry-run-time.js";
import type { PairLane } from "./score-pairs.js";

export interface DryRunOptions {
  readonly source: RecordSource;
  readonly model: ResolvedModel;
  readonly device: WorkerDevice;
  /** Default: ONNX Runtime. */
  readonly runtime?: WorkerRuntime | undefined;
  readonly scoring: ResolvedScoring;
  readonly inFlight: InFlightBounds;
  readonly lanes: number | undefined;
  readonly tokenizer: TokenizerChoice;
  /** Folder of prepared models; undefined: the model's own files are scored with. */
  readonly preparedDir: string | undefined;
  readonly logger: Logger;
  /** Seconds from the start of the process until its command was there. */
  readonly bootSeconds: number;
  /** Bounds of a batch that the user set. */
  readonly batch: Parameters<typeof batchLimits>[1];
  /** Variables of the process, for the lane. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A forecast of a run. */
export interface DryRun {
  readonly model: string;
  readonly precision: string;
  /** The numeric form; absent: the file's own numbers. */
  readonly form?: string | undefined;
  readonly records: number;
  readonly failed: number;
  /** The first few. */
  readonly failures: readonly RecordFailure[];
  /** Documents of all records: each is a (query, document) pair of the input. */
  readonly documents: number;
  /** Pairs that the model will read: one per document, or as many as it has windows, estimated. */
  readonly pairs: number;
  readonly maxLength: number;
  /** Present if long documents are split. */
  readonly windows?: {
    /** Share of the sampled documents, 0 to 1. */
    readonly splitShare: number;
    /** Windows of the sampled document that has most. */
    readonly most: number;
  };
  readonly tokens: {
    /** Documents that were encoded with their queries: all, or an even sample. */
    readonly sampledPairs: number;
    /** Before any cut, special tokens included. */
    readonly mean: number;
    readonly median: number;
    readonly longest: number;
    /** Share of all documents, 0 to 1, with tokens that would not be read. */
    readonly truncatedShare: number;
    readonly histogram: readonly HistogramRow[];
  };
  readonly redis: { readonly inFlightJobs: number; readonly bytes: number };
  readonly disk: { readonly bytes: number };
  readonly time: TimeForecast & {
    /** Scored for real, on as many lanes as `measuredLanes`. */
    readonly scoredPairs: number;
    readonly measuredLanes: number;
  };
}

/** Pairs scored for real, on each lane. */
const SCORED_PAIRS = 200;
/** Pairs that are scored first and not timed: the first batches allocate. */
const WARM_UP_PAIRS = 4;
/** Lanes that are measured together: more share memory and caches no worse. */
const MOST_MEASURED_LANES = 8;
/** Memory of a lane whose model is not shared with others, as a multiple of its file. */
const LANE_SHARE = 3;
/** A run starts its Redis, then its lanes: each is about a process that starts. */
const STARTS = 2;
/**
 * Work on a job in multiples of making and packing it. It is unpacked, parsed and checked as well, its texts
 * are hashed to be found again, its pairs are sent to the lanes, and its ranking is written, read and checked.
 * Measured; see `npm run bench -- dry-run`.
 */
const HANDLED_TIMES = 6;
/** Pairs tokenised in one go. */
const ENCODE_PAIRS = 256;
/** Bytes of BullMQ's and our own keys for one job, beside its request and its ranking. */
const JOB_OVERHEAD_BYTES = 1_000;

/**
 * Reads the whole input, encodes a sample of its pairs and scores 200 of them for real. Needs no
 * Redis and writes nothing but the index of a collection.
 */
export async function dryRun(options: DryRunOptions): Promise<DryRun> {
  const { scoring, inFlight, device } = options;
  const { survey, handlingSeconds } = await readInput(options);
  // Native packages are loaded by the commands that score, and by no other.
  const { usableCores } = await import("../inference/host/host.js");
  const cores = await usableCores();
  const lanes = options.lanes ?? device.cards ?? cores;
  const { lane, measuredLanes, openedSeconds } = await openMeasured(options, lanes);
  try {
    const { tokens, windows, seconds } = await measureTokens(survey, scoring, lane);
    const speed = await measureSpeed(survey.sample, lane, measuredLanes, options);
    const { pairs: documents, rankingBytes } = survey;
    const pairs = Math.round(documents * windows.mean);
    return {
      model: options.model.name,
      precision: options.model.precision,
      form: options.model.form,
      records: survey.records,
      failed: survey.failed,
      failures: survey.failures,
      documents,
      pairs,
      maxLength: scoring.maxLength,
      ...(scoring.longDocuments === "windows"
        ? { windows: { splitShare: windows.splitShare, most: windows.most } }
        : {}),
      tokens,
      redis: redisOf(survey, inFlight),
      disk: { bytes: Math.round(rankingBytes) },
      time: {
        ...forecastTime({
          startSeconds: options.bootSeconds + STARTS * openedSeconds,
          cores,
          lanes,
          lanesTakeCores: device.cards === undefined,
          pairs,
          pairsPerSecond: speed.pairs === 0 ? 0 : speed.pairs / speed.seconds / measuredLanes,
          differentDocuments: survey.differentDocuments,
          tokenizedPerSecond: tokens.sampledPairs === 0 ? 0 : tokens.sampledPairs / seconds,
          handlingSeconds,
        }),
        scoredPairs: speed.pairs,
        measuredLanes,
      },
    };
  } finally {
    await lane.close();
  }
}

/** Reads all of the input, and times what a run does with it beside its pairs. */
async function readInput({
  source,
  scoring,
}: DryRunOptions): Promise<{ survey: DryRunSample; handlingSeconds: number }> {
  let packed = 0;
  let packingMs = 0;
  const startedMs = performance.now();
  const survey = await sampleRecords(source.read(new Set()), {
    namesWindows: scoring.longDocuments === "windows",
    storedBytes: async (request) => {
      const beganMs = performance.now();
      const { envelope, payload } = makeJob(request, scoring, { priority: "bulk" });
      const bytes = payload === undefined ? envelope.bytes : (await packPayload(payload)).length;
      packed += 1;
      packingMs += performance.now() - beganMs;
      return bytes;
    },
  });
  const readingMs = performance.now() - startedMs - packingMs;
  const jobsMs = (HANDLED_TIMES * packingMs * survey.records) / Math.max(1, packed);
  return { survey, handlingSeconds: (readingMs + jobsMs) / 1_000 };
}

/** Opens the lanes that are measured: all of a run's, as far as they fit into memory beside one another. */
async function openMeasured(
  { model, scoring, tokenizer, device, runtime, env, preparedDir, logger }: DryRunOptions,
  lanes: number,
): Promise<{ lane: PairLane; measuredLanes: number; openedSeconds: number }> {
  const { openPairLane } = await import("./score-pairs.js");
  const { modelSource } = await import("./worker/prepared-model.js");
  const onCards = device.cards !== undefined;
  const folder = onCards ? undefined : preparedDir;
  const source = await modelSource(model, folder, env, logger, runtime);
  const fitting = source.prepared
    ? MOST_MEASURED_LANES
    : Math.floor(process.availableMemory() / (LANE_SHARE * model.file.bytes));
  const most = onCards ? 1 : Math.max(1, Math.min(MOST_MEASURED_LANES, fitting));
  const measuredLanes = Math.min(lanes, most);
  const options = { scoring, tokenizer, device, runtime, source, lanes: measuredLanes };
  const startedMs = performance.now();
  const lane = await openPairLane(model, env, options);
  return { lane, measuredLanes, openedSeconds: (performance.now() - startedMs) / 1_000 };
}

function redisOf(survey: DryRunSample, inFlight: InFlightBounds): DryRun["redis"] {
  const { records, requestBytes, rankingBytes, meanStoredBytes } = survey;
  const meanBytes = requestBytes / Math.max(1, records);
  const inFlightJobs = Math.min(
    records,
    inFlight.maxJobs,
    Math.max(1, Math.floor(inFlight.maxBytes / Math.max(1, meanBytes))),
  );
  const jobBytes = meanStoredBytes + JOB_OVERHEAD_BYTES + rankingBytes / Math.max(1, records);
  return { inFlightJobs, bytes: Math.round(inFlightJobs * jobBytes) };
}

/** Windows of the sampled documents; one each if they are not split. */
interface WindowFigures {
  readonly mean: number;
  readonly most: number;
  readonly splitShare: number;
}

async function measureTokens(
  { sample }: DryRunSample,
  scoring: ResolvedScoring,
  lane: PairLane,
): Promise<{ tokens: DryRun["tokens"]; windows: WindowFigures; seconds: number }> {
  const lengths: number[] = [];
  const windows: number[] = [];
  let truncated = 0;
  const started = performance.now();
  for (let at = 0; at < sample.length; at += ENCODE_PAIRS) {
    const chunk = sample.slice(at, at + ENCODE_PAIRS);
    for (const [i, { pairs, fullTokens }] of (await lane.encode(chunk)).entries()) {
      lengths.push(fullTokens);
      const isCut = pairs.some((pair) => pair.truncated);
      const count = isCut ? pairs.length : windowsOfWhole(pairs.length, chunk[i]);
      windows.push(Math.min(count, scoring.maxWindows));
      if (isCut || count > scoring.maxWindows) truncated += 1;
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const sorted = lengths.toSorted((a, b) => a - b);
  const count = Math.max(1, lengths.length);
  return {
    seconds,
    windows: {
      mean: windows.reduce((sum, one) => sum + one, 0) / count,
      most: Math.max(0, ...windows),
      splitShare: windows.filter((one) => one > 1).length / count,
    },
    tokens: {
      sampledPairs: lengths.length,
      mean: lengths.reduce((sum, length) => sum + length, 0) / count,
      median: sorted[Math.floor(sorted.length / 2)] ?? 0,
      longest: sorted.at(-1) ?? 0,
      truncatedShare: truncated / count,
      histogram: tokenHistogram(lengths, scoring.maxLength),
    },
  };
}

/** Windows of a document of which the survey kept only the beginning, whose windows are known. */
function windowsOfWhole(ofBeginning: number, of: SampledPair | undefined): number {
  if (of === undefined || ofBeginning < 2) return ofBeginning;
  return Math.ceil((ofBeginning * of.documentChars) / Math.max(1, of.document.length));
}

/**
 * Scores evenly spaced batches of the sample, on all lanes at once: those that a worker would make of so
 * many pairs.
 */
async function measureSpeed(
  sample: readonly SampledPair[],
  lane: PairLane,
  lanes: number,
  { model, device, batch }: DryRunOptions,
): Promise<{ pairs: number; seconds: number }> {
  const encoded = (await lane.encode(sample)).flatMap(({ pairs }) => pairs);
  await lane.scoreOnAll(evenly(encoded, WARM_UP_PAIRS * lanes).map((pair) => [pair]));
  const limits = batchLimits(model.dynamicallyQuantised, batch);
  const planned =
    device.cards === undefined
      ? planBatches(
          encoded.map(({ ids }) => ids.length),
          limits,
        )
      : encoded.map((_, i) => [i]);
  const size = encoded.length / Math.max(1, planned.length);
  const chosen = evenly(planned, Math.ceil((SCORED_PAIRS * lanes) / Math.max(1, size)));
  const batches = chosen.map((places) => places.flatMap((place) => encoded[place] ?? []));
  const started = performance.now();
  await lane.scoreOnAll(batches);
  const seconds = (performance.now() - started) / 1000;
  return { pairs: batches.flat().length, seconds };
}

/** `count` of `items`, evenly spaced; all of them if there are no more. */
function evenly<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, items.length / count);
  return items.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}

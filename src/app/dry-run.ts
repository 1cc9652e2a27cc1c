import type { ResolvedScoring } from "../core/job.js";
import type { TokenizerChoice } from "../tokenizers/kinds/registry.js";
import type { RecordFailure } from "../core/record.js";
import type { WorkerDevice } from "../inference/devices/registry.js";
import type { ResolvedModel } from "../models/resolve.js";
import { packPayload, makeJob } from "../redis/make-job.js";
import type { RecordSource } from "../core/ports/record-source.js";
import { sampleRecords, type DryRunSample, type SampledPair } from "../runs/dry-run-sample.js";
import { tokenHistogram, type HistogramRow } from "../runs/token-histogram.js";
import type { InFlightBounds } from "../core/in-flight-bounds.js";
import type { PairLane } from "./score-pairs.js";

export interface DryRunOptions {
  readonly source: RecordSource;
  readonly model: ResolvedModel;
  readonly device: WorkerDevice;
  readonly scoring: ResolvedScoring;
  readonly inFlight: InFlightBounds;
  readonly lanes: number | undefined;
  readonly tokenizer: TokenizerChoice;
  /** Variables of the process, for the lane. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A forecast of a run. */
export interface DryRun {
  readonly model: string;
  readonly precision: string;
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
  readonly time: {
    /** Scored for real, on one lane. */
    readonly scoredPairs: number;
    /** Speed of one lane; 0 if there is no pair. */
    readonly scoredPairsPerSecond: number;
    /** Documents of the tokenizer, which shares the cores with the lanes; 0 if there are none. */
    readonly tokenizedPairsPerSecond: number;
    readonly lanes: number;
    /** Scoring and tokenising of all pairs, one after the other, over the lanes. */
    readonly expectedSeconds: number;
  };
}

/** Pairs scored for real. */
const SCORED_PAIRS = 200;
/** Pairs that are scored first and not timed: the first batches allocate. */
const WARM_UP_PAIRS = 4;
/** Pairs sent to the lane in one message, as a worker sends them. */
const MESSAGE_PAIRS = 8;
/** Pairs tokenised in one go. */
const ENCODE_PAIRS = 256;
/** Bytes of BullMQ's and our own keys for one job, beside its request and its ranking. */
const JOB_OVERHEAD_BYTES = 1_000;

/**
 * Reads the whole input, encodes a sample of its pairs and scores 200 of them for real. Needs no
 * Redis and writes nothing but the index of a collection.
 */
export async function dryRun(options: DryRunOptions): Promise<DryRun> {
  const { source, model, scoring, inFlight } = options;
  const survey = await sampleRecords(source.read(new Set()), {
    namesWindows: scoring.longDocuments === "windows",
    storedBytes: async (request) => {
      const { envelope, payload } = makeJob(request, scoring, { priority: "bulk" });
      return payload === undefined ? envelope.bytes : (await packPayload(payload)).length;
    },
  });
  // Native packages are loaded by the commands that score, and by no other.
  const { usableCores } = await import("../inference/host/host.js");
  const { openPairLane } = await import("./score-pairs.js");
  const { device, tokenizer } = options;
  const lanes = options.lanes ?? device.cards ?? (await usableCores());
  const lane = await openPairLane(model, options.env, { scoring, tokenizer, device });
  try {
    const { tokens, windows, seconds } = await measureTokens(survey, scoring, lane);
    const speed = await measureSpeed(survey.sample, lane);
    const { records, failed, failures, pairs: documents, rankingBytes, meanStoredBytes } = survey;
    const pairs = Math.round(documents * windows.mean);
    const scoringSeconds = (pairs * speed.seconds) / Math.max(1, speed.pairs);
    const encodingSeconds = (documents * seconds) / Math.max(1, tokens.sampledPairs);
    const meanBytes = survey.requestBytes / Math.max(1, records);
    const inFlightJobs = Math.min(
      records,
      inFlight.maxJobs,
      Math.max(1, Math.floor(inFlight.maxBytes / Math.max(1, meanBytes))),
    );
    const jobBytes = meanStoredBytes + JOB_OVERHEAD_BYTES + rankingBytes / Math.max(1, records);
    return {
      model: model.name,
      precision: model.precision,
      records,
      failed,
      failures,
      documents,
      pairs,
      maxLength: scoring.maxLength,
      ...(scoring.longDocuments === "windows"
        ? { windows: { splitShare: windows.splitShare, most: windows.most } }
        : {}),
      tokens,
      redis: { inFlightJobs, bytes: Math.round(inFlightJobs * jobBytes) },
      disk: { bytes: Math.round(rankingBytes) },
      time: {
        scoredPairs: speed.pairs,
        scoredPairsPerSecond: speed.pairs === 0 ? 0 : speed.pairs / speed.seconds,
        tokenizedPairsPerSecond: tokens.sampledPairs === 0 ? 0 : tokens.sampledPairs / seconds,
        lanes,
        expectedSeconds: (scoringSeconds + encodingSeconds) / lanes,
      },
    };
  } finally {
    await lane.close();
  }
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

/** Scores evenly spaced pairs of the sample. */
async function measureSpeed(
  sample: readonly SampledPair[],
  lane: PairLane,
): Promise<{ pairs: number; seconds: number }> {
  const chosen = evenly(sample, SCORED_PAIRS);
  const windows = (await lane.encode(chosen)).flatMap(({ pairs }) => pairs);
  const encoded = evenly(windows, SCORED_PAIRS);
  await lane.score(encoded.slice(0, WARM_UP_PAIRS));
  const started = performance.now();
  for (let at = 0; at < encoded.length; at += MESSAGE_PAIRS) {
    await lane.score(encoded.slice(at, at + MESSAGE_PAIRS));
  }
  return { pairs: encoded.length, seconds: (performance.now() - started) / 1000 };
}

/** `count` of `items`, evenly spaced; all of them if there are no more. */
function evenly<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, items.length / count);
  return items.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}

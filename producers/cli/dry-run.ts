import type { WorkerDevice } from "../../src/core/device.js";
import type { ScoringOptions } from "../../src/core/job.js";
import type { FailedRecord } from "../../src/core/records.js";
import type { ResolvedModel } from "../../src/models/resolve.js";
import { packPayload, prepareJob } from "../../src/queue/prepare-job.js";
import type { RecordSource } from "../../src/runs/sources/record-source.js";
import { surveyRecords, type Survey, type SurveyPair } from "../../src/runs/survey.js";
import { tokenHistogram, type HistogramRow } from "../../src/runs/token-histogram.js";
import type { WindowLimits } from "../../src/runs/window.js";
import type { PairLane } from "../../workers/score-pairs.js";
import { env } from "./context.js";

export interface DryRunOptions {
  readonly source: RecordSource;
  readonly model: ResolvedModel;
  readonly device: WorkerDevice;
  readonly scoring: ScoringOptions;
  readonly window: WindowLimits;
  readonly lanes: number | undefined;
  readonly tokenizer: "auto" | "tokenizers" | "transformers";
}

/** What a run will take. */
export interface DryRun {
  readonly model: string;
  readonly precision: string;
  readonly records: number;
  readonly failed: number;
  /** The first few. */
  readonly failures: readonly FailedRecord[];
  readonly pairs: number;
  readonly maxLength: number;
  readonly tokens: {
    /** Pairs that were encoded: all, or an even sample. */
    readonly sampledPairs: number;
    /** Before any truncation, special tokens included. */
    readonly mean: number;
    readonly median: number;
    readonly longest: number;
    /** Of all pairs, 0 to 1. */
    readonly truncatedShare: number;
    readonly histogram: readonly HistogramRow[];
  };
  readonly redis: { readonly windowJobs: number; readonly bytes: number };
  readonly disk: { readonly bytes: number };
  readonly time: {
    /** Scored for real, on one lane. */
    readonly scoredPairs: number;
    /** Of one lane; 0 where there is no pair. */
    readonly scoredPairsPerSecond: number;
    /** Of the tokenizer, which shares the cores with the lanes; 0 where there is no pair. */
    readonly tokenizedPairsPerSecond: number;
    readonly lanes: number;
    /** Scoring and tokenising of all pairs, one after the other, over the lanes. */
    readonly expectedSeconds: number;
  };
}

/** Pairs scored for real. */
const SCORED_PAIRS = 200;
/** Not timed: the first runs allocate. */
const WARM_UP_PAIRS = 4;
/** Pairs sent to the lane in one message, as a worker sends them. */
const MESSAGE_PAIRS = 8;
/** Pairs tokenised in one go. */
const ENCODE_PAIRS = 256;
/** What BullMQ and our own keys take for one job, beside its request and its ranking. */
const JOB_OVERHEAD_BYTES = 1_000;

/**
 * Reads the whole input, encodes a sample of its pairs and scores 200 of them for real. Needs no
 * Redis and writes nothing but the index of a collection.
 */
export async function dryRun(options: DryRunOptions): Promise<DryRun> {
  const { source, model, scoring, window } = options;
  const survey = await surveyRecords(source.read(new Set()), {
    storedBytes: async (request) => {
      const { envelope, payload } = prepareJob(request, scoring, { priority: "bulk" });
      return payload === undefined ? envelope.bytes : (await packPayload(payload)).length;
    },
  });
  // Native packages are loaded by the commands that score, and by no other.
  const { usableCores } = await import("../../src/inference/host.js");
  const { openPairLane } = await import("../../workers/score-pairs.js");
  const { device, tokenizer } = options;
  const lanes = options.lanes ?? (device.kind === "cuda" ? device.gpus : await usableCores());
  const lane = await openPairLane(model, env, { scoring, tokenizer, device });
  try {
    const { tokens, seconds } = await measureTokens(survey, scoring.maxLength, lane);
    const speed = await measureSpeed(survey.sample, lane);
    const secondsAPair =
      speed.seconds / Math.max(1, speed.pairs) + seconds / Math.max(1, tokens.sampledPairs);
    const { records, failed, failures, pairs, rankingBytes, meanStoredBytes } = survey;
    const meanBytes = survey.requestBytes / Math.max(1, records);
    const windowJobs = Math.min(
      records,
      window.maxJobs,
      Math.max(1, Math.floor(window.maxBytes / Math.max(1, meanBytes))),
    );
    const jobBytes = meanStoredBytes + JOB_OVERHEAD_BYTES + rankingBytes / Math.max(1, records);
    return {
      model: model.name,
      precision: model.precision,
      records,
      failed,
      failures,
      pairs,
      maxLength: scoring.maxLength,
      tokens,
      redis: { windowJobs, bytes: Math.round(windowJobs * jobBytes) },
      disk: { bytes: Math.round(rankingBytes) },
      time: {
        scoredPairs: speed.pairs,
        scoredPairsPerSecond: speed.pairs === 0 ? 0 : speed.pairs / speed.seconds,
        tokenizedPairsPerSecond: tokens.sampledPairs === 0 ? 0 : tokens.sampledPairs / seconds,
        lanes,
        expectedSeconds: (pairs * secondsAPair) / lanes,
      },
    };
  } finally {
    await lane.close();
  }
}

async function measureTokens(
  { sample }: Survey,
  maxLength: number,
  lane: PairLane,
): Promise<{ tokens: DryRun["tokens"]; seconds: number }> {
  const lengths: number[] = [];
  let truncated = 0;
  const started = performance.now();
  for (let at = 0; at < sample.length; at += ENCODE_PAIRS) {
    for (const { pair, fullTokens } of await lane.encode(sample.slice(at, at + ENCODE_PAIRS))) {
      lengths.push(fullTokens);
      if (pair.truncated) truncated += 1;
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const sorted = lengths.toSorted((a, b) => a - b);
  const count = Math.max(1, lengths.length);
  return {
    seconds,
    tokens: {
      sampledPairs: lengths.length,
      mean: lengths.reduce((sum, length) => sum + length, 0) / count,
      median: sorted[Math.floor(sorted.length / 2)] ?? 0,
      longest: sorted.at(-1) ?? 0,
      truncatedShare: truncated / count,
      histogram: tokenHistogram(lengths, maxLength),
    },
  };
}

/** Scores evenly spaced pairs of the sample. */
async function measureSpeed(
  sample: readonly SurveyPair[],
  lane: PairLane,
): Promise<{ pairs: number; seconds: number }> {
  const step = Math.max(1, sample.length / SCORED_PAIRS);
  const chosen = Array.from({ length: Math.min(SCORED_PAIRS, sample.length) }, (_, i) => {
    const pair = sample[Math.floor(i * step)];
    return pair ?? { query: "", document: "" };
  });
  const encoded = (await lane.encode(chosen)).map(({ pair }) => pair);
  await lane.score(encoded.slice(0, WARM_UP_PAIRS));
  const started = performance.now();
  for (let at = 0; at < encoded.length; at += MESSAGE_PAIRS) {
    await lane.score(encoded.slice(at, at + MESSAGE_PAIRS));
  }
  return { pairs: encoded.length, seconds: (performance.now() - started) / 1000 };
}

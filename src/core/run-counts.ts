import { z } from "zod";
import {
  addScore,
  emptyHistogram,
  mergedHistograms,
  type ScoreHistogram,
} from "./score-histogram.js";
import { parseStored } from "./stored-json.js";

export interface RunCounts {
  /** Records with a ranking. */
  done: number;
  /** Records in the failed file. */
  failed: number;
  pairs: number;
  /** Tokens scored, special tokens included. */
  tokens: number;
  /** Documents of which, or of whose query, tokens were not read. */
  truncated: number;
  /** Documents of ranked records that could not be scored. */
  failedPairs: number;
  /** The failed records by the code of their error. */
  failedByCode: Record<string, number>;
  /** Scores of ranked documents, as the rankings give them; of each record those that its ranking lists. */
  scores: ScoreHistogram;
}

export function emptyCounts(): RunCounts {
  return {
    done: 0,
    failed: 0,
    pairs: 0,
    tokens: 0,
    truncated: 0,
    failedPairs: 0,
    failedByCode: {},
    scores: emptyHistogram(),
  };
}

export function addCounts(sum: RunCounts, one: RunCounts): void {
  sum.done += one.done;
  sum.failed += one.failed;
  sum.pairs += one.pairs;
  sum.tokens += one.tokens;
  sum.truncated += one.truncated;
  sum.failedPairs += one.failedPairs;
  for (const [code, times] of Object.entries(one.failedByCode)) {
    sum.failedByCode[code] = (sum.failedByCode[code] ?? 0) + times;
  }
  sum.scores = mergedHistograms(sum.scores, one.scores);
}

export function countFailure(code: string, counts: RunCounts): void {
  counts.failed += 1;
  counts.failedByCode[code] = (counts.failedByCode[code] ?? 0) + 1;
}

/** The part of a ranking that is counted. */
const countedSchema = z.object({
  id: z.string(),
  results: z.array(z.object({ relevance_score: z.number() })).default([]),
  usage: z.object({ pairs: z.number(), tokens: z.number(), truncated: z.number() }),
  errors: z.array(z.unknown()).optional(),
});

/** The id of one output line. */
export function rankingId(line: string): string {
  return (JSON.parse(line) as { id: string }).id;
}

/** Adds the usage of one output line to `counts`. @returns the record's id */
export function countLine(line: string, counts: RunCounts): string {
  const ranking = parseStored(countedSchema, line, "a ranking");
  counts.done += 1;
  counts.pairs += ranking.usage.pairs;
  counts.tokens += ranking.usage.tokens;
  counts.truncated += ranking.usage.truncated;
  counts.failedPairs += ranking.errors?.length ?? 0;
  for (const { relevance_score: score } of ranking.results) addScore(counts.scores, score);
  return ranking.id;
}

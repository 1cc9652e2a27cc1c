import type { Scoring } from "../core/job.js";
import { RankmillError } from "../core/errors.js";

/** What a run's scores depend on. A run resumed under other settings would mix scores. */
export interface RunSettings extends Scoring {
  readonly model: {
    readonly name: string;
    readonly revision: string;
    readonly digest: string;
    readonly precision: string;
  };
  /** For records that name none; null: all. */
  readonly topN: number | null;
  /** Which tokenizer implementation made the ids. */
  readonly tokenizer: string;
  /** In which form the rankings are written. */
  readonly outputFormat: string;
  /** Candidates a query, of a collection; null: all, or no collection. */
  readonly depth: number | null;
  /** What a document's text is made of, in a collection; null: no collection. */
  readonly docFields: string | null;
}

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
}

/** What lies beside the output of a run and says how it was made. */
export interface Manifest {
  readonly rankmill: string;
  readonly schema: number;
  readonly state: "running" | "interrupted" | "complete";
  readonly input: string;
  /** sha256, hex, of what the newest invocation read; absent where that was a stream. */
  readonly inputDigest?: string;
  readonly output: string;
  readonly settings: RunSettings;
  readonly counts: Readonly<RunCounts>;
  readonly redis: string;
  readonly startedAt: string;
  /** When the newest invocation began; differs from `startedAt` where the run was resumed. */
  readonly resumedAt?: string;
  readonly finishedAt?: string;
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
}

export function countFailure(code: string, counts: RunCounts): void {
  counts.failed += 1;
  counts.failedByCode[code] = (counts.failedByCode[code] ?? 0) + 1;
}

/**
 * @throws RankmillError `usage` that names every setting in which the two differ
 */
export function checkSameSettings(before: RunSettings, now: RunSettings, where: string): void {
  // A setting that only one of them knows differs too: it was made by another version.
  const keys = new Set([...flatten(before), ...flatten(now)].map(([key]) => key));
  const differing = [...keys].filter((key) => get(before, key) !== get(now, key));
  if (differing.length === 0) return;
  const list = differing.map(
    (key) => `${key} was ${String(get(before, key))}, is ${String(get(now, key))}`,
  );
  throw new RankmillError(
    "usage",
    `${where} was begun under other settings (${list.join("; ")}): run it with those, or start over with --force-new`,
  );
}

function flatten(settings: RunSettings): [string, string | number | null][] {
  const { model, ...rest } = settings;
  return [
    ...Object.entries(model).map(([key, value]): [string, string] => [`model.${key}`, value]),
    ...Object.entries(rest),
  ];
}

function get(settings: RunSettings, key: string): unknown {
  return new Map<string, unknown>(flatten(settings)).get(key);
}

/** Adds the usage of one output line to `counts`. @returns the record's id */
export function countLine(line: string, counts: RunCounts): string {
  const ranking = JSON.parse(line) as {
    id: string;
    usage: { pairs: number; tokens: number; truncated: number };
    errors?: unknown[];
  };
  counts.done += 1;
  counts.pairs += ranking.usage.pairs;
  counts.tokens += ranking.usage.tokens;
  counts.truncated += ranking.usage.truncated;
  counts.failedPairs += ranking.errors?.length ?? 0;
  return ranking.id;
}

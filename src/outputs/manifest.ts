import type { RunCounts } from "../core/run-counts.js";
import type { ResolvedScoring } from "../core/job.js";
import { RankmillError } from "../core/errors.js";
import { option, wording } from "../core/wording.js";

/** What a run's scores depend on. A run resumed under other settings would mix scores. */
export interface RunSettings extends ResolvedScoring {
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

/**
 * @throws RankmillError `conflict` that names every setting in which the two differ
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
    "conflict",
    wording`${where} was begun under other settings (${list.join("; ")}): run it with those, or start over with ${option("forceNew")}`,
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

import { readFile } from "node:fs/promises";
import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import type { ResolvedScoring } from "../core/job.js";
import type { RunCounts } from "../core/run-counts.js";
import { errnoOf } from "../platform/file-system-errors.js";
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

const settingSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** What is read of a manifest. Settings that this version does not know stay: they differ from its own. */
const manifestSchema = z.looseObject({
  state: z.enum(["running", "interrupted", "complete"]),
  input: z.string(),
  inputDigest: z.string().optional(),
  output: z.string(),
  settings: z.object({ model: z.record(z.string(), settingSchema) }).catchall(settingSchema),
  startedAt: z.string(),
});

/** A manifest as it was found on disk: whatever version wrote it. */
export type FoundManifest = z.infer<typeof manifestSchema>;

/**
 * @returns undefined if there is none
 * @throws RankmillError `conflict` for a file that is no manifest
 */
export async function readManifest(path: string): Promise<FoundManifest | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  return parseManifest(text, path);
}

function parseManifest(text: string, path: string): FoundManifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new RankmillError(
      "conflict",
      wording`${path} is no manifest of a run (${problemOf(error)}): delete it to be asked about its output, or start over with ${option("forceNew")}`,
      { cause: error },
    );
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return "not JSON";
  const [issue] = error.issues;
  const field = issue?.path.join(".") ?? "";
  return `${field === "" ? "the whole" : field}: ${issue?.message ?? "is not valid"}`;
}

/**
 * @throws RankmillError `conflict` that names every setting in which the two differ
 */
export function checkSameSettings(
  before: FoundManifest["settings"],
  now: RunSettings,
  where: string,
): void {
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

type FlatSettings = FoundManifest["settings"];

function flatten({ model, ...rest }: FlatSettings | RunSettings): [string, unknown][] {
  return [
    ...Object.entries(model).map(([key, value]): [string, unknown] => [`model.${key}`, value]),
    ...Object.entries(rest),
  ];
}

function get(settings: FlatSettings | RunSettings, key: string): unknown {
  return new Map(flatten(settings)).get(key);
}

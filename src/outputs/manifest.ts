import { readFile } from "node:fs/promises";
import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import type { ResolvedScoring } from "../core/job.js";
import type { RunCounts } from "../core/run-counts.js";
import { DOES_NOT_FIT, fitsChecksum, withChecksum } from "../platform/checksummed-json.js";
import { packageVersion } from "../platform/package-root.js";
import { errnoOf } from "../platform/file-system-errors.js";
import { option, wording } from "../core/wording.js";
import { isObject } from "../inputs/formats/line-fields.js";

/** The settings that a run's scores depend on. A run resumed under other settings would mix scores. */
export interface RunSettings extends ResolvedScoring {
  readonly model: {
    readonly name: string;
    readonly revision: string;
    readonly digest: string;
    readonly precision: string;
    /** The numeric form; absent: the file's own numbers, as in all manifests of older versions. */
    readonly form?: string;
  };
  /** The top_n of records that name none; null: all. */
  readonly topN: number | null;
  /** The tokenizer implementation that made the ids. */
  readonly tokenizer: string;
  /** The form in which the rankings are written. */
  readonly outputFormat: string;
  /** Candidates per query, of a collection; null: all, or no collection. */
  readonly depth: number | null;
  /** Fields that make a document's text, in a collection; null: no collection. */
  readonly docFields: string | null;
}

/** The file beside the output of a run that says how it was made. */
export interface Manifest {
  readonly rankmill: string;
  readonly schema: number;
  readonly state: "running" | "interrupted" | "complete";
  readonly input: string;
  /** sha256, hex, of what the newest invocation read; absent if that was a stream. */
  readonly inputDigest?: string;
  readonly output: string;
  readonly settings: RunSettings;
  readonly counts: Readonly<RunCounts>;
  readonly redis: string;
  readonly startedAt: string;
  /** The time at which the newest invocation began; differs from `startedAt` if the run was resumed. */
  readonly resumedAt?: string;
  readonly finishedAt?: string;
}

const settingSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/**
 * The part of a run's manifest that is read. Settings that this version does not know stay: they
 * differ from its own.
 */
const manifestSchema = z.looseObject({
  rankmill: z.string(),
  state: z.enum(["running", "interrupted", "complete"]),
  input: z.string(),
  inputDigest: z.string().optional(),
  output: z.string(),
  settings: z.object({ model: z.record(z.string(), settingSchema) }).catchall(settingSchema),
  startedAt: z.string(),
});

/** The file beside the results of a submitted run that says whose they are. */
const resultsSchema = z.looseObject({
  rankmill: z.string(),
  state: z.literal("results"),
  run: z.string(),
  output: z.string(),
});

/** The manifest of a run from file to file as it was found on disk: whatever version wrote it. */
export type FoundManifest = z.infer<typeof manifestSchema>;
export type ResultsManifest = z.infer<typeof resultsSchema>;

/** The file in the place of a manifest. *damaged*: it was one, or is nothing at all; *foreign*: something else. */
export type AnyManifest =
  | { readonly kind: "none" }
  | { readonly kind: "run"; readonly manifest: FoundManifest }
  | { readonly kind: "results"; readonly manifest: ResultsManifest }
  | { readonly kind: "damaged" | "foreign"; readonly problem: string };

export async function readManifest(path: string): Promise<AnyManifest> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return { kind: "none" };
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "damaged", problem: "not JSON" };
  }
  if (!fitsChecksum(value)) return { kind: "damaged", problem: DOES_NOT_FIT };
  const results = resultsSchema.safeParse(value);
  if (results.success) return { kind: "results", manifest: results.data };
  const run = manifestSchema.safeParse(value);
  if (run.success) return { kind: "run", manifest: run.data };
  const isForeign = isObject(value) && Object.keys(value).length > 0 && !("rankmill" in value);
  const writer = isObject(value) ? value["rankmill"] : undefined;
  const isOthers = typeof writer === "string" && writer !== packageVersion();
  const by = isOthers ? `rankmill ${writer} wrote it, and this is ${packageVersion()}: ` : "";
  return { kind: isForeign ? "foreign" : "damaged", problem: `${by}${problemOf(run.error)}` };
}

/** A manifest as the text of its file. */
export function manifestText(manifest: Manifest | ResultsManifest): string {
  return `${JSON.stringify(withChecksum(manifest), null, 2)}\n`;
}

/** @throws RankmillError `conflict` for what is no manifest of a run from file to file */
export function runManifestOf(found: AnyManifest, path: string): FoundManifest | undefined {
  switch (found.kind) {
    case "none":
      return undefined;
    case "run":
      return found.manifest;
    case "results":
      throw new RankmillError(
        "conflict",
        wording`${path}: the output holds the results of run ${found.manifest.run}: choose another, or replace it with ${option("forceNew")}`,
      );
    case "damaged":
      throw new RankmillError(
        "conflict",
        wording`${path} is no manifest of a run (${found.problem}): start over with ${option("forceNew")}, or choose another output`,
      );
    case "foreign":
    default:
      throw foreignManifest(path, found.problem);
  }
}

/** The error for a file of others where the manifest would lie: it is not replaced either. */
export function foreignManifest(path: string, problem: string): RankmillError {
  return new RankmillError(
    "conflict",
    `${path} is in the way and is no manifest of a run (${problem}): choose another output, or move it`,
  );
}

function problemOf(error: z.ZodError): string {
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
  // What sums up the others says nothing beside them, in 64 digits.
  const told = differing.filter((key) => key !== DIGEST || differing.length === 1);
  const list = told.map((key) => `${key} was ${textOf(before, key)}, is ${textOf(now, key)}`);
  throw new RankmillError(
    "conflict",
    wording`${where} was begun under other settings (${list.join("; ")}): run it with those, or start over with ${option("forceNew")}`,
  );
}

const DIGEST = "model.digest";

function textOf(settings: FlatSettings | RunSettings, key: string): string {
  const value = get(settings, key);
  if (value === undefined || value === null) return "not set";
  return typeof value === "string" ? value : JSON.stringify(value);
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

/** The places that a catalogued model comes from. */
import { z } from "zod";
import { PRECISIONS } from "./precision.js";

/** A hub commit: the only form of revision under which files cannot change. */
const commitSha = z.string().regex(/^[0-9a-f]{40}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** A repository of the hub: `owner/name`. */
export const HUB_ID = /^[\w.-]+\/[\w.-]+$/;
const hubId = z.string().regex(HUB_ID);
const repositoryPath = z
  .string()
  .regex(/^(?!\/)(?!.*(^|\/)\.\.?(\/|$))[\w./-]+$/, "a relative path inside the repository");

const hubFile = z.strictObject({
  path: repositoryPath,
  /** Null if it could not be known when the entry was reviewed: `pull` then pins it. */
  sha256: sha256.nullable(),
  bytes: z.int().positive().nullable(),
});

const hubSource = z
  .strictObject({
    kind: z.literal("hub"),
    /** The repository that holds the ONNX files, the tokenizer and the config. */
    repository: hubId,
    /** Null: the commit is pinned by the first `pull`, in the lock file beside the models. */
    revision: commitSha.nullable(),
    pinnedOnPull: z.boolean(),
    /** Needed whatever the precision. */
    common: z.array(hubFile).min(1),
    /** The graph first, then its external data. Null: nobody has seen the list, and `pull` reads it. */
    files: z.partialRecord(z.enum(PRECISIONS), z.array(hubFile).min(1)).nullable(),
  })
  .refine((source) => (source.revision === null) === source.pinnedOnPull, {
    message: "pinnedOnPull is true exactly if revision is null",
  })
  .refine(({ files }) => files === null || Object.keys(files).length > 0, {
    message: "names no ONNX file",
  });

/**
 * The publisher's own ONNX files cannot be run as they are (the head is missing): the user exports
 * the model once, with `models/export/`, and gives the folder.
 */
const exportSource = z.strictObject({
  kind: z.literal("export"),
  /** The repository that the weights come from. */
  repository: hubId,
  revision: commitSha.nullable(),
  reason: z.string().min(1),
  /** Options of `models/export/export.py` beside `--output`. */
  options: z.string(),
});

/** A model that gives no score per pair of texts: it is listed so that its name has an answer. */
const noSource = z.strictObject({
  kind: z.literal("none"),
  repository: hubId,
  reason: z.string().min(1),
  /** Id of a model of the catalogue that does its work. */
  instead: z.string(),
});

/** A folder under `models/` that ships with the package. */
const packageSource = z.strictObject({
  kind: z.literal("package"),
  folder: z.string().regex(/^[\w.-]+$/),
});

export const sourceSchema = z.discriminatedUnion("kind", [
  hubSource,
  exportSource,
  packageSource,
  noSource,
]);
export type HubSource = z.infer<typeof hubSource>;
export type HubFile = z.infer<typeof hubFile>;

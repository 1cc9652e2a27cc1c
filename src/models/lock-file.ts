/**
 * `rankmill-models.lock.json`: what each model was when it was first pulled. Later pulls and every
 * start are held to it, as with a package manager's lock file.
 */
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import { asModelReadError, errnoOf } from "../platform/file-system-errors.js";
import { syncFolder } from "../platform/files.js";
import { WholeFile } from "../platform/whole-file.js";

const lockedFileSchema = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().nonnegative(),
});

const lockedModelSchema = z.strictObject({
  /** The hub repository that the files came from. */
  repository: z.string(),
  /** The commit, 40 hex digits. */
  revision: z.string().regex(/^[0-9a-f]{40}$/),
  /** The files by their path inside the repository. */
  files: z.record(z.string(), lockedFileSchema),
});

const lockSchema = z.strictObject({
  version: z.literal(1),
  /** The models by their canonical id. */
  models: z.record(z.string(), lockedModelSchema),
});

export type LockedModel = z.infer<typeof lockedModelSchema>;
export type ModelLock = z.infer<typeof lockSchema>;

/** @returns an empty lock if there is no file */
export async function readLock(path: string): Promise<ModelLock> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return { version: 1, models: {} };
    throw asModelReadError(error, path);
  }
  try {
    return lockSchema.parse(JSON.parse(text));
  } catch (error) {
    // Guessing here would unpin every model: an operator must look.
    throw new RankmillError(
      "model_unusable",
      `${path} is damaged or from another version of rankmill: restore it, or delete it to pin the models anew with "rankmill models pull"`,
      { cause: error },
    );
  }
}

/** Replaces the file in one step; a crash leaves the old one or the new one. */
export async function writeLock(path: string, lock: ModelLock): Promise<void> {
  const models = Object.fromEntries(
    Object.entries(lock.models)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, model]) => [id, { ...model, files: sortKeys(model.files) }]),
  );
  await WholeFile.write(path, [`${JSON.stringify({ version: 1, models }, null, 2)}\n`]);
  await syncFolder(dirname(path));
}

function sortKeys<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import type { Precision } from "../core/precision.js";
import { describeError } from "../core/errors.js";
import { parseChecksummed, withChecksum } from "../platform/checksummed-json.js";
import { asModelReadError, errnoOf } from "../platform/file-system-errors.js";
import { chooseFile } from "./model-folder.js";
import type { ModelFolder } from "./model-folder.js";
import { makeFolder } from "../platform/files.js";

/** Files are read in pieces of this size; a digest never holds more of a model than this. */
const READ_BYTES = 1 << 20;
/** Bumped when the framing changes: digests made otherwise must not be compared. */
const DIGEST_FORMAT = "rankmill-model-digest-1";
/** Files that are remembered, the latest learnt: far more than one host's models have. */
const MAX_REMEMBERED_FILES = 1_000;

/** Bumped with the shape of a stamp. */
const CACHE_VERSION = 2;
const cacheSchema = z.strictObject({
  version: z.literal(CACHE_VERSION),
  /** Entries by absolute path; `stamp` must still hold for the hash to be believed. */
  files: z.record(z.string(), z.strictObject({ stamp: z.string(), sha256: z.string() })),
  checksum: z.string().exactOptional(),
});
type DigestCache = z.infer<typeof cacheSchema>;

export interface DigestOptions {
  /** Remembers hashes by path, size, times and inode. Not used if absent. */
  readonly cacheFile?: string | undefined;
  /** The ONNX file to digest; the preferred one of the precision if absent. */
  readonly onnxPath?: string | undefined;
  /** Told in one line why the remembered hashes are not believed. */
  readonly onDamaged?: ((problem: string) => void) | undefined;
}

export interface ModelDigest {
  /** sha256 over all parts, 64 hex digits. */
  readonly digest: string;
  /** The parts by their path relative to the folder (with `/`), each with its own sha256. */
  readonly parts: ReadonlyMap<string, string>;
}

/**
 * Names the model: two folders have one digest exactly if graph, external data, tokenizer, config and
 * settings are equal to the byte, wherever they lie and whatever else is beside them.
 * @returns sha256, 64 hex digits
 */
export async function digestModel(
  folder: ModelFolder,
  precision: Precision,
  options: DigestOptions = {},
): Promise<string> {
  return (await digestModelParts(folder, precision, options)).digest;
}

/** {@link digestModel} with the hash of each file. */
export async function digestModelParts(
  folder: ModelFolder,
  precision: Precision,
  options: DigestOptions = {},
): Promise<ModelDigest> {
  const file =
    folder.files.find((candidate) => candidate.path === options.onnxPath) ??
    chooseFile(folder, precision).file;
  // The role goes into the frame, not the path: a graph is the same model in the root and in onnx/.
  // External data is named by the graph, so its order (by name) is part of the model.
  const inputs = [
    { role: "graph", path: file.path },
    ...file.externalData.map((path, index) => ({ role: `data${index}`, path })),
    { role: "tokenizer", path: folder.tokenizerPath },
    { role: "config", path: folder.configPath },
    ...folder.settingsFiles,
  ];
  const cache = await readCache(options.cacheFile, options.onDamaged);
  const parts = new Map<string, string>();
  const frame = createHash("sha256").update(`${DIGEST_FORMAT}\n`);
  const learnt: DigestCache["files"] = {};
  for (const { role, path } of inputs) {
    const known = await hashWithCache(path, cache, learnt);
    frame.update(`${role} ${known.bytes} ${known.sha256}\n`);
    parts.set(relative(folder.path, path).replaceAll("\\", "/"), known.sha256);
  }
  if (options.cacheFile !== undefined && Object.keys(learnt).length > 0) {
    await addToCache(options.cacheFile, learnt);
  }
  return { digest: frame.digest("hex"), parts };
}

/** sha256 of a file, read in bounded pieces. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  try {
    const source = createReadStream(path, { highWaterMark: READ_BYTES });
    await pipeline(source, hash, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw asModelReadError(error, path);
  }
  return hash.digest("hex");
}

async function hashWithCache(
  path: string,
  cache: DigestCache,
  learnt: DigestCache["files"],
): Promise<{ sha256: string; bytes: number }> {
  const { stamp, bytes } = await stampOf(path);
  const remembered = cache.files[path];
  if (remembered?.stamp === stamp) return { sha256: remembered.sha256, bytes };
  const sha256 = await hashFile(path);
  // A file that was written meanwhile has no hash that could be remembered.
  if ((await stampOf(path)).stamp === stamp) learnt[path] = { stamp, sha256 };
  return { sha256, bytes };
}

async function stampOf(path: string): Promise<{ stamp: string; bytes: number }> {
  try {
    const info = await stat(path, { bigint: true });
    // The device is left out: a container's file systems get other numbers at each start.
    const stamp = [info.size, info.mtimeNs, info.ctimeNs, info.ino].join(":");
    return { stamp, bytes: Number(info.size) };
  } catch (error) {
    throw asModelReadError(error, path);
  }
}

/** A cache that is absent, damaged or of another version is an empty one: it only saves time. */
async function readCache(
  cacheFile: string | undefined,
  onDamaged?: (problem: string) => void,
): Promise<DigestCache> {
  const empty: DigestCache = { version: CACHE_VERSION, files: {} };
  if (cacheFile === undefined) return empty;
  try {
    const value = parseChecksummed(await readFile(cacheFile, "utf8"));
    return isOtherVersion(value) ? empty : cacheSchema.parse(value);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return empty;
    const why = error instanceof z.ZodError ? "it holds no digests" : describeError(error).message;
    onDamaged?.(`${cacheFile} is damaged (${why}): model files are read once more`);
    return empty;
  }
}

function isOtherVersion(value: unknown): boolean {
  const found = z.looseObject({ version: z.int() }).safeParse(value);
  return found.success && found.data.version !== CACHE_VERSION;
}

/**
 * Read again first: others may have learnt something meanwhile, and what one of two loses it learns
 * at its next start. A cache that cannot be written (read-only volume, full disk) costs time, never
 * the model.
 */
async function addToCache(cacheFile: string, learnt: DigestCache["files"]): Promise<void> {
  const known = (await readCache(cacheFile)).files;
  for (const path of Object.keys(learnt)) delete known[path];
  const files = Object.entries({ ...known, ...learnt }).slice(-MAX_REMEMBERED_FILES);
  const cache: DigestCache = { version: CACHE_VERSION, files: Object.fromEntries(files) };
  const temporary = `${cacheFile}.${randomUUID()}.tmp`;
  try {
    await makeFolder(dirname(cacheFile));
    await writeFile(temporary, JSON.stringify(withChecksum(cache)));
    await rename(temporary, cacheFile);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

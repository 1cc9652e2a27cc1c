import { createHash, randomUUID } from "node:crypto";
import { open, readdir, realpath, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, join } from "node:path";
import { describeError, RankmillError } from "../../core/errors.js";
import { formatOf } from "./beir.js";
import type { CorpusFormat } from "./corpus-document.js";
import { buildCorpusIndex } from "./corpus-index-build.js";
import { CorpusIndex } from "./corpus-index.js";
import { readTail, type IndexMetadata } from "./corpus-index-tail.js";
import { makeFolder } from "../../platform/files.js";

/** A builder writes all the time: what has not been touched for so long was left by a dead one. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;
const TEMPORARY = ".tmp-";
/** Records of three million documents, read in a few tens of milliseconds; larger ones are checked as they are used. */
const CHECKED_AT_OPEN_BYTES = 64 * 1024 * 1024;

export interface OpenCorpusOptions {
  /** One JSON object or one `id<TAB>text` a line, perhaps compressed; no pipe. */
  readonly path: string;
  /** Taken from the name of the file if undefined. */
  readonly format?: CorpusFormat | undefined;
  /** Folder of the index (20 bytes per document) and of the decompressed copy of a compressed corpus. */
  readonly cacheDir: string;
  readonly maxLineBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** While the index is built: bytes read of those the file has on disk. */
  readonly onProgress?: ((bytesRead: number, sizeBytes: number) => void) | undefined;
  /** Told in one line why a kept index is built again though the corpus is the same. */
  readonly onDamaged?: ((problem: string) => void) | undefined;
}

/**
 * Opens a corpus of any size for lookup by id. The index is built in one pass and kept in
 * `cacheDir`; it is used again as long as the corpus has the same size and modification time, and
 * built again when not, or when it is damaged: sums are checked here if it has up to
 * `CHECKED_AT_OPEN_BYTES`, and at each lookup. Two processes may build at once: the later one replaces an equal file.
 *
 * Memory: 2 MiB at the most once open. While building, the process grew by 58, 54 and 43 MB for
 * 100,000, 1,000,000 and 4,000,000 documents: it does not grow with the corpus.
 *
 * @throws RankmillError `input_unusable` for a corpus or a folder that cannot be used, `duplicate_id` for an
 *   id that two lines have, `cancelled` once `signal` aborts
 */
export async function openCorpus(options: OpenCorpusOptions): Promise<CorpusIndex> {
  const format = options.format ?? formatOf(options.path);
  const source = await describeSource(options.path);
  // One corpus read in two ways has two indexes.
  const key = createHash("sha256").update(`${format}\n${source.path}`).digest("hex").slice(0, 16);
  const stem = join(options.cacheDir, `${basename(source.path)}.${key}`);
  const files = { indexPath: `${stem}.index`, dataPath: `${stem}.data` };

  const existing = await openIndex(files, source, options);
  if (existing !== undefined) return existing;

  try {
    await makeFolder(options.cacheDir);
    await removeAbandoned(options.cacheDir, `${basename(source.path)}.${key}`);
    await buildCorpusIndex({
      ...files,
      path: options.path,
      format,
      source,
      temporarySuffix: TEMPORARY + randomUUID(),
      maxLineBytes: options.maxLineBytes,
      signal: options.signal,
      onProgress: (bytesRead) => options.onProgress?.(bytesRead, source.sizeBytes),
    });
  } catch (error) {
    // An error without a system code is not about files.
    if (error instanceof RankmillError || !hasSystemCode(error)) throw error;
    throw new RankmillError(
      "place_unusable",
      `the index of ${options.path} cannot be written to ${options.cacheDir}: ${describeError(error).message}`,
      { cause: error },
    );
  }
  const after = await describeSource(options.path);
  if (after.sizeBytes !== source.sizeBytes || after.mtimeNs !== source.mtimeNs) {
    throw new RankmillError(
      "input_unusable",
      `${options.path} was changed while it was being indexed`,
    );
  }
  const built = await openIndex(files, source, { path: options.path });
  if (built === undefined) {
    throw new RankmillError(
      "internal",
      `the index of ${options.path} is unreadable after building`,
    );
  }
  return built;
}

async function describeSource(path: string): Promise<IndexMetadata["source"]> {
  try {
    const stats = await stat(path, { bigint: true });
    if (!stats.isFile()) throw new RankmillError("input_unusable", `${path} is no regular file`);
    return {
      path: await realpath(path),
      sizeBytes: Number(stats.size),
      mtimeNs: String(stats.mtimeNs),
    };
  } catch (error) {
    if (error instanceof RankmillError) throw error;
    const { message } = describeError(error);
    throw new RankmillError("input_unusable", `${path} cannot be read: ${message}`, {
      cause: error,
    });
  }
}

/** @returns undefined if there is no index, or none that fits the corpus as it is now */
async function openIndex(
  { indexPath, dataPath }: { readonly indexPath: string; readonly dataPath: string },
  source: IndexMetadata["source"],
  { path, onDamaged }: Pick<OpenCorpusOptions, "path" | "onDamaged">,
): Promise<CorpusIndex | undefined> {
  const stats = await stat(indexPath).catch(() => undefined);
  if (stats === undefined) return undefined;
  const files: FileHandle[] = [];
  try {
    // Nothing else is opened: who opens a pipe waits for a writer.
    if (!stats.isFile()) throw new Error("it is no regular file");
    const index = await open(indexPath, "r");
    files.push(index);
    const tail = await readTail(index);
    if (tail !== undefined && isFresh(tail.metadata, source)) {
      const data = await open(tail.metadata.compressed ? dataPath : path, "r");
      files.push(data);
      const { size } = await data.stat();
      if (size !== tail.metadata.dataBytes) throw new Error("its copy of the corpus is cut short");
      const discard = (): Promise<void> => rm(indexPath, { force: true });
      const corpus = new CorpusIndex(path, { index, data }, tail, discard);
      if (stats.size <= CHECKED_AT_OPEN_BYTES) await corpus.check();
      return corpus;
    }
  } catch (error) {
    const [why = ""] = describeError(error).message.split("\n");
    onDamaged?.(`the index of ${path} is damaged (${why}): it is built again`);
  }
  for (const file of files) await file.close();
  return undefined;
}

function isFresh(metadata: IndexMetadata, source: IndexMetadata["source"]): boolean {
  const indexed = metadata.source;
  return (
    indexed.path === source.path &&
    indexed.sizeBytes === source.sizeBytes &&
    indexed.mtimeNs === source.mtimeNs
  );
}

/** Removes what builders of this index left behind when they were killed: copies can be large. */
async function removeAbandoned(cacheDir: string, stem: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(stem) || !name.includes(TEMPORARY)) continue;
    const path = join(cacheDir, name);
    const stats = await stat(path).catch(() => undefined);
    if (stats !== undefined && Date.now() - stats.mtimeMs > ABANDONED_AFTER_MS) {
      await rm(path, { force: true });
    }
  }
}

function hasSystemCode(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

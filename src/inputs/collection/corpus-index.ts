import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, realpath, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, join } from "node:path";
import { describeError, RankmillError } from "../../core/errors.js";
import { formatOf } from "./beir.js";
import { parseCorpusLine, type CorpusDocument, type CorpusFormat } from "./corpus-document.js";
import { buildCorpusIndex } from "./corpus-index-build.js";
import {
  bucketOf,
  hashId,
  readExactly,
  readRecord,
  readTail,
  RECORD_BYTES,
  type CorpusProblem,
  type IndexMetadata,
} from "./corpus-index-file.js";

/** Lookups that wait for the disk at a time; libuv reads with four threads. */
const LOOKUPS_AT_ONCE = 32;
/** A builder writes all the time: what has not been touched for so long was left by a dead one. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;
const TEMPORARY = ".tmp-";

export interface OpenCorpusOptions {
  /** One JSON object or one `id<TAB>text` a line, perhaps compressed; no pipe. */
  readonly path: string;
  /** Taken from the name of the file if undefined. */
  readonly format?: CorpusFormat | undefined;
  /** Folder of the index (16 bytes per document) and of the decompressed copy of a compressed corpus. */
  readonly cacheDir: string;
  readonly maxLineBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** While the index is built: bytes read of those the file has on disk. */
  readonly onProgress?: ((bytesRead: number, sizeBytes: number) => void) | undefined;
}

/**
 * Opens a corpus of any size for lookup by id. The index is built in one pass and kept in
 * `cacheDir`; it is used again as long as the corpus has the same size and modification time, and
 * built again when not. Two processes may build at once: the later one replaces an equal file.
 *
 * Memory: 1 MiB at the most once open. While building, the process grew by 58, 54 and 43 MB for
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

  const existing = await openIndex(files, source, options.path);
  if (existing !== undefined) return existing;

  try {
    await mkdir(options.cacheDir, { recursive: true });
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
  const built = await openIndex(files, source, options.path);
  if (built === undefined) {
    throw new RankmillError(
      "internal",
      `the index of ${options.path} is unreadable after building`,
    );
  }
  return built;
}

/** Documents of a corpus by id: two reads from disk each, once its index is open. */
export class CorpusIndex {
  /** Documents in the corpus. */
  readonly documents: number;
  /** Lines that hold no document; a candidate that is among them is not found. */
  readonly problemCount: number;
  /** The first hundred of them. */
  readonly problems: readonly CorpusProblem[];
  private readonly path: string;
  private readonly index: FileHandle;
  private readonly data: FileHandle;
  private readonly metadata: IndexMetadata;
  private readonly directory: Uint32Array;

  constructor(
    path: string,
    files: { readonly index: FileHandle; readonly data: FileHandle },
    tail: { readonly metadata: IndexMetadata; readonly directory: Uint32Array },
  ) {
    this.path = path;
    this.index = files.index;
    this.data = files.data;
    this.metadata = tail.metadata;
    this.directory = tail.directory;
    this.documents = tail.metadata.documents;
    this.problemCount = tail.metadata.problemCount;
    this.problems = tail.metadata.problems;
  }

  /** @returns undefined for an id that the corpus lacks */
  async lookup(id: string): Promise<CorpusDocument | undefined> {
    const hash = hashId(id);
    const bucket = bucketOf(hash, this.metadata.directoryBits);
    const first = this.directory[bucket] ?? 0;
    const count = (this.directory[bucket + 1] ?? 0) - first;
    if (count === 0) return undefined;
    const records = await readExactly(this.index, first * RECORD_BYTES, count * RECORD_BYTES);
    for (let position = 0; position < records.length; position += RECORD_BYTES) {
      const record = readRecord(records, position);
      if (record.hash !== hash) continue;
      const document = await this.readDocument(record.offset, record.length);
      if (document.id === id) return document;
    }
    return undefined;
  }

  /** @returns one entry an id, in order */
  async lookupMany(ids: readonly string[]): Promise<(CorpusDocument | undefined)[]> {
    const documents: (CorpusDocument | undefined)[] = [];
    for (let start = 0; start < ids.length; start += LOOKUPS_AT_ONCE) {
      const some = ids.slice(start, start + LOOKUPS_AT_ONCE);
      documents.push(...(await Promise.all(some.map((id) => this.lookup(id)))));
    }
    return documents;
  }

  async close(): Promise<void> {
    await this.index.close();
    await this.data.close();
  }

  private async readDocument(offset: number, length: number): Promise<CorpusDocument> {
    try {
      const bytes = await readExactly(this.data, offset, length);
      return parseCorpusLine(bytes.toString(), this.metadata.format);
    } catch (error) {
      throw new RankmillError("input_unusable", `${this.path} was changed while it was in use`, {
        cause: error,
      });
    }
  }
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
  files: { readonly indexPath: string; readonly dataPath: string },
  source: IndexMetadata["source"],
  path: string,
): Promise<CorpusIndex | undefined> {
  const index = await open(files.indexPath, "r").catch(() => undefined);
  if (index === undefined) return undefined;
  let data: FileHandle | undefined;
  try {
    const tail = await readTail(index);
    if (tail !== undefined && isFresh(tail.metadata, source)) {
      data = await open(tail.metadata.compressed ? files.dataPath : path, "r");
      const { size } = await data.stat();
      if (size === tail.metadata.dataBytes) return new CorpusIndex(path, { index, data }, tail);
    }
  } catch {
    // A file that cannot be made sense of is one to build again.
  }
  await data?.close();
  await index.close();
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

import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { describeError, RankmillError } from "../../core/errors.js";
import { parseCorpusId, type CorpusFormat } from "./corpus-document.js";
import {
  bucketOf,
  directoryBitsFor,
  hashId,
  readExactly,
  RECORD_BYTES,
  writeRecord,
  type IndexRecord,
} from "./corpus-index-file.js";
import {
  encodeTail,
  type CorpusProblem,
  type IndexDirectory,
  type IndexMetadata,
} from "./corpus-index-tail.js";
import { lineBlocks, NEWLINE, textEnd } from "./line-blocks.js";
import { openInput } from "../read/open-input.js";
import { SortedRuns } from "./sorted-runs.js";

/** Problems that are kept with their text; the others are counted. */
const MAX_PROBLEMS_KEPT = 100;

export interface BuildOptions {
  readonly path: string;
  readonly format: CorpusFormat;
  readonly source: IndexMetadata["source"];
  /** Path of the finished index. */
  readonly indexPath: string;
  /** Path of the decompressed copy, for a corpus that is compressed. */
  readonly dataPath: string;
  /** Put behind the paths of unfinished files; of this build alone. */
  readonly temporarySuffix: string;
  readonly maxLineBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once per chunk with bytes of the file read so far, as it lies on disk. */
  readonly onProgress?: ((bytesRead: number) => void) | undefined;
}

/**
 * Builds the index of a corpus in one pass over it, in memory that does not grow with it; finished
 * files appear by rename, so that nobody meets half an index. A line that holds no document is
 * noted in the metadata and left out.
 *
 * @throws RankmillError `duplicate_id` for an id that two lines have; `cancelled` once `signal` aborts
 */
export async function buildCorpusIndex(options: BuildOptions): Promise<void> {
  const { indexPath, dataPath, temporarySuffix } = options;
  const temporary = {
    index: indexPath + temporarySuffix,
    data: dataPath + temporarySuffix,
    runs: `${indexPath}.runs${temporarySuffix}`,
  };
  const runs = await SortedRuns.create(temporary.runs);
  try {
    const pass = await readCorpus(options, runs, temporary.data);
    await writeIndex(options, pass, runs, temporary);
    if (pass.compressed) await rename(temporary.data, dataPath);
    await rename(temporary.index, indexPath);
  } finally {
    await runs.close();
    await rm(temporary.index, { force: true });
    await rm(temporary.data, { force: true });
  }
}

interface Pass {
  readonly compressed: boolean;
  dataBytes: number;
  longestLineBytes: number;
  problemCount: number;
  readonly problems: CorpusProblem[];
}

async function readCorpus(
  options: BuildOptions,
  runs: SortedRuns,
  temporaryData: string,
): Promise<Pass> {
  const { path, format, maxLineBytes, signal, onProgress } = options;
  const input = await openInput(path);
  const compressed = input.compression !== "none";
  const copy = compressed ? await open(temporaryData, "wx") : undefined;
  const pass: Pass = {
    compressed,
    dataBytes: 0,
    longestLineBytes: 0,
    problemCount: 0,
    problems: [],
  };
  let lineNumber = 0;
  const problem = (code: string, message: string): void => {
    pass.problemCount += 1;
    if (pass.problems.length >= MAX_PROBLEMS_KEPT) return;
    pass.problems.push({ lineNumber, code, message: `line ${lineNumber} ${message}` });
  };
  const watched = async function* () {
    for await (const chunk of input.chunks) {
      if (signal?.aborted === true) throw new RankmillError("cancelled", "indexing was cancelled");
      if (copy !== undefined) await copy.appendFile(chunk);
      pass.dataBytes += chunk.length;
      onProgress?.(input.bytesRead());
      yield chunk;
    }
  };

  try {
    for await (const block of lineBlocks(watched(), maxLineBytes)) {
      if (block.kind === "overlong") {
        lineNumber += 1;
        problem(
          "limit_exceeded",
          `has ${block.byteLength} bytes, over the limit of ${maxLineBytes}`,
        );
        continue;
      }
      const { bytes } = block;
      const valid = isUtf8(bytes);
      for (let start = 0; start < bytes.length;) {
        const newline = bytes.indexOf(NEWLINE, start);
        const end = newline < 0 ? bytes.length : newline;
        const length = textEnd(bytes, start, end) - start;
        lineNumber += 1;
        if (length > maxLineBytes) {
          problem("limit_exceeded", `has ${length} bytes, over the limit of ${maxLineBytes}`);
        } else if (!valid && !isUtf8(bytes.subarray(start, start + length))) {
          problem("invalid_json", "is not valid UTF-8");
        } else {
          const text = bytes.toString("utf8", start, start + length);
          if (text.trim() !== "") {
            try {
              const id = parseCorpusId(text, format);
              const sum = crc32(bytes.subarray(start, start + length));
              runs.add({ hash: hashId(id), offset: block.offset + start, length, sum });
              pass.longestLineBytes = Math.max(pass.longestLineBytes, length);
            } catch (error) {
              const { code, message } = describeError(error);
              problem(code, message);
            }
            if (runs.isFull) await runs.flush();
          }
        }
        start = end + 1;
      }
    }
    await copy?.sync();
  } finally {
    await copy?.close();
    await input.close();
  }
  return pass;
}

async function writeIndex(
  options: BuildOptions,
  pass: Pass,
  runs: SortedRuns,
  temporary: { readonly index: string; readonly data: string },
): Promise<void> {
  const documents = runs.length;
  const directoryBits = directoryBitsFor(documents);
  const firsts = new Uint32Array(2 ** directoryBits + 1);
  const sums = new Uint32Array(2 ** directoryBits);
  const dataPath = pass.compressed ? temporary.data : options.path;
  const data = await open(dataPath, "r");
  const index = await open(temporary.index, "wx");
  try {
    const unique = new UniqueIds(data, dataPath, options);
    for await (const batch of runs.sorted()) {
      const bytes = Buffer.allocUnsafe(batch.length * RECORD_BYTES);
      for (const [place, record] of batch.entries()) {
        // Synchronous for all but the few that share a hash: an await a record would be felt.
        if (unique.sharesHash(record)) await unique.check(record);
        unique.add(record);
        writeRecord(record, bytes, place * RECORD_BYTES);
      }
      countBuckets(batch, bytes, { firsts, sums }, directoryBits);
      await index.appendFile(bytes);
    }
    // The counts of records per bucket become the first record of each.
    for (let bucket = 1; bucket < firsts.length; bucket += 1) {
      firsts[bucket] = (firsts[bucket] ?? 0) + (firsts[bucket - 1] ?? 0);
    }
    const metadata: IndexMetadata = {
      source: options.source,
      format: options.format,
      documents,
      directoryBits,
      compressed: pass.compressed,
      dataBytes: pass.dataBytes,
      longestLineBytes: pass.longestLineBytes,
      problemCount: pass.problemCount,
      problems: pass.problems,
    };
    await index.appendFile(encodeTail({ metadata, directory: { firsts, sums } }));
    await index.sync();
  } finally {
    await index.close();
    await data.close();
  }
}

/** Adds the records of a batch to the counts and sums of their buckets. */
function countBuckets(
  batch: readonly IndexRecord[],
  bytes: Buffer,
  { firsts, sums }: IndexDirectory,
  directoryBits: number,
): void {
  for (let start = 0; start < batch.length;) {
    const bucket = bucketOf(batch[start]?.hash ?? 0, directoryBits);
    let end = start + 1;
    while (end < batch.length && bucketOf(batch[end]?.hash ?? 0, directoryBits) === bucket)
      end += 1;
    // One sum per stretch, not per record: a call costs more than the bytes.
    const stretch = bytes.subarray(start * RECORD_BYTES, end * RECORD_BYTES);
    sums[bucket] = crc32(stretch, sums[bucket]);
    firsts[bucket + 1] = (firsts[bucket + 1] ?? 0) + end - start;
    start = end;
  }
}

/** Finds an id that two lines have, among records that come ordered by hash. */
class UniqueIds {
  private readonly data: FileHandle;
  private readonly dataPath: string;
  private readonly options: BuildOptions;
  /** The records before that have the hash of the last one; one, nearly always. */
  private sameHash: IndexRecord[] = [];

  constructor(data: FileHandle, dataPath: string, options: BuildOptions) {
    this.data = data;
    this.dataPath = dataPath;
    this.options = options;
  }

  sharesHash(record: IndexRecord): boolean {
    return this.sameHash[0]?.hash === record.hash;
  }

  add(record: IndexRecord): void {
    if (this.sharesHash(record)) this.sameHash.push(record);
    else this.sameHash = [record];
  }

  /** @throws RankmillError `duplicate_id` */
  async check(record: IndexRecord): Promise<void> {
    const id = await this.idOf(record);
    for (const other of this.sameHash) {
      if ((await this.idOf(other)) !== id) continue;
      const offsets = [other.offset, record.offset].toSorted((a, b) => a - b);
      const lines = await lineNumbersAt(this.dataPath, offsets);
      throw new RankmillError(
        "duplicate_id",
        `${this.options.path}: document "${id}" is there twice, on lines ${lines.join(" and ")}`,
      );
    }
  }

  private async idOf({ offset, length }: IndexRecord): Promise<string> {
    const bytes = await readExactly(this.data, offset, length);
    return parseCorpusId(bytes.toString(), this.options.format);
  }
}

/** @param offsets where lines start, ascending */
async function lineNumbersAt(path: string, offsets: readonly number[]): Promise<number[]> {
  const last = offsets.at(-1) ?? 0;
  const numbers = offsets.map(() => 1);
  if (last === 0) return numbers;
  let position = 0;
  for await (const chunk of createReadStream(path, { end: last - 1 })) {
    const bytes = chunk as Buffer;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
      for (const [index, offset] of offsets.entries()) {
        if (position + at < offset) numbers[index] = (numbers[index] ?? 0) + 1;
      }
    }
    position += bytes.length;
  }
  return numbers;
}

import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { RankmillError } from "../../core/errors.js";
import { parseCorpusLine, type CorpusDocument } from "./corpus-document.js";
import {
  bucketOf,
  hashId,
  readExactly,
  readRecord,
  RECORD_BYTES,
  type IndexRecord,
} from "./corpus-index-file.js";
import type {
  CorpusProblem,
  IndexDirectory,
  IndexMetadata,
  IndexTail,
} from "./corpus-index-tail.js";

/** Lookups that wait for the disk at a time; libuv reads with four threads. */
const LOOKUPS_AT_ONCE = 32;
const NOTHING = Buffer.alloc(0);

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
  private readonly directory: IndexDirectory;
  private readonly discard: () => Promise<void>;

  /** @param discard removes the index, so that the next start builds it again */
  constructor(
    path: string,
    files: { readonly index: FileHandle; readonly data: FileHandle },
    tail: IndexTail,
    discard: () => Promise<void>,
  ) {
    this.path = path;
    this.index = files.index;
    this.data = files.data;
    this.metadata = tail.metadata;
    this.directory = tail.directory;
    this.discard = discard;
    this.documents = tail.metadata.documents;
    this.problemCount = tail.metadata.problemCount;
    this.problems = tail.metadata.problems;
  }

  /**
   * @returns undefined for an id that the corpus lacks
   * @throws RankmillError `damaged` if the index cannot tell; `input_unusable` if the corpus was cut
   */
  async lookup(id: string): Promise<CorpusDocument | undefined> {
    const hash = hashId(id);
    const records = await this.bucket(bucketOf(hash, this.metadata.directoryBits));
    for (let position = 0; position < records.length; position += RECORD_BYTES) {
      const record = readRecord(records, position);
      if (record.hash !== hash) continue;
      const document = await this.readDocument(record);
      if (document.id === id) return document;
    }
    return undefined;
  }

  /**
   * Reads the records of all buckets.
   *
   * @throws RankmillError `damaged`
   */
  async check(): Promise<void> {
    for (let bucket = 0; bucket < this.directory.sums.length; bucket += 1) {
      await this.bucket(bucket);
    }
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

  private async bucket(bucket: number): Promise<Buffer> {
    const { firsts, sums } = this.directory;
    const first = firsts[bucket] ?? 0;
    const bytes = ((firsts[bucket + 1] ?? 0) - first) * RECORD_BYTES;
    if (bytes === 0) return NOTHING;
    const records = await readExactly(this.index, first * RECORD_BYTES, bytes).catch(() => NOTHING);
    if (crc32(records) === sums[bucket]) return records;
    throw await this.damaged("a checksum of its records is wrong");
  }

  private async readDocument({ offset, length, sum }: IndexRecord): Promise<CorpusDocument> {
    const { dataBytes, longestLineBytes, format } = this.metadata;
    if (offset + length > dataBytes || length > longestLineBytes) {
      throw await this.damaged("a record points outside the corpus");
    }
    let bytes: Buffer;
    try {
      bytes = await readExactly(this.data, offset, length);
    } catch (error) {
      throw new RankmillError("input_unusable", `${this.path} was changed while it was in use`, {
        cause: error,
      });
    }
    if (crc32(bytes) !== sum)
      throw await this.damaged("a document is not the one that was indexed");
    return parseCorpusLine(bytes.toString(), format);
  }

  private async damaged(why: string): Promise<RankmillError> {
    await this.discard().catch(() => {});
    return new RankmillError(
      "damaged",
      `the index of ${this.path} is damaged (${why}): the next start builds it again`,
    );
  }
}

import { stat } from "node:fs/promises";
import { parseRequest, type Limits } from "../../core/contract.js";
import { describeError, RankmillError } from "../../core/errors.js";
import type { Qrels } from "../../core/evaluation.js";
import type { InputRecord } from "../../core/record.js";
import { findCollection, type CollectionFiles } from "../collection/beir.js";
import { documentText, type CorpusDocument } from "../collection/corpus-document.js";
import type { CorpusIndex } from "../collection/corpus-index.js";
import { openCorpus } from "../collection/open-corpus.js";
import type { ByteSource } from "../read/lines.js";
import { openInput, requireReadableAgain } from "../read/open-input.js";
import { readTrecRun, type TrecCandidate, type TrecQuery } from "../read/trec.js";
import { readQrels, readQueries } from "../read/tsv.js";
import type { InputContainer } from "../../core/ports/input-container.js";
import type { InputHash, RecordSource } from "../../core/ports/record-source.js";
import { option, wording } from "../../core/wording.js";

/** The folder of a collection, with a first-stage run over it. */
export const collectionFolder: InputContainer = {
  name: "collection",
  takes: ["firstStage", "depth", "split"],
  holds: ({ kind }) => kind === "folder",
  open: async ({ input: folder, firstStage, ...choice }, options) => {
    if (firstStage === undefined) {
      throw new RankmillError(
        "invalid_option",
        wording`${option("input")} ${folder} is a folder: give the candidates of its queries with ${option("firstStage")} RUN.trec`,
      );
    }
    await requireReadableAgain(firstStage, option("firstStage"));
    const { depth, split, docFields, indexDir } = choice;
    const { limits, topN, onNote } = options;
    const chosen = { folder, firstStage, depth, split, docFields, indexDir, limits, topN, onNote };
    return await CollectionSource.open(chosen);
  },
};

export interface CollectionOptions {
  readonly folder: string;
  /** A TREC run, perhaps compressed: the candidates of each query. */
  readonly firstStage: string;
  /** Candidates per query; undefined: all. */
  readonly depth: number | undefined;
  /** Takes the queries that this split's judgements name, and no others. */
  readonly split: string | undefined;
  readonly docFields: readonly string[];
  /** Folder of the corpus's index. */
  readonly indexDir: string;
  readonly limits: Limits;
  readonly topN: number | undefined;
  /** Called with what a user should know and need not act on. */
  readonly onNote: (text: string) => void;
}

/** Parts of the collection in memory: its queries; the corpus stays on disk. */
interface Parts {
  readonly files: CollectionFiles;
  readonly queries: ReadonlyMap<string, string>;
  readonly judged: Qrels | undefined;
  readonly corpus: CorpusIndex;
}

/**
 * A collection and a first-stage run over it: each query with candidates is one record.
 *
 * A line that does not fit is reported by its number in the first-stage run and stops nothing else: a
 * malformed line, or a candidate that is there twice, is left out; so is one that the corpus lacks,
 * and its query goes on without it; a query that the collection lacks has no record.
 */
export class CollectionSource implements RecordSource {
  readonly #options: CollectionOptions;
  readonly #parts: Parts;

  private constructor(options: CollectionOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
  }

  /**
   * Reads the queries, and opens the corpus' index or builds it.
   *
   * @throws RankmillError `input_unusable` for files that are not there, and what is wrong with those that are
   */
  static async open(options: CollectionOptions): Promise<CollectionSource> {
    const { folder, split, limits, indexDir, onNote } = options;
    const files = await findCollection(folder, { split });
    const lines = { maxLineBytes: limits.maxJobBytes };
    // A first-stage run that cannot be read is known before an index is built for hours.
    await (await openInput(options.firstStage)).close();
    const judged =
      split === undefined || files.qrelsPath === undefined
        ? undefined
        : await readQrels(await chunksOf(files.qrelsPath), lines).catch(naming(files.qrelsPath));
    const queries = await readQueries(await chunksOf(files.queries.path), {
      ...lines,
      format: files.queries.format,
      only: judged,
    }).catch(naming(files.queries.path));
    let told = false;
    const corpus = await openCorpus({
      path: files.corpus.path,
      format: files.corpus.format,
      cacheDir: indexDir,
      ...lines,
      onProgress: () => {
        if (!told) onNote(`indexing ${files.corpus.path}, once, in ${indexDir}`);
        told = true;
      },
      onDamaged: onNote,
    });
    const [problem] = corpus.problems;
    if (problem !== undefined) {
      onNote(
        `${files.corpus.path}: ${corpus.problemCount} lines hold no document, the first: ${problem.message}`,
      );
    }
    return new CollectionSource(options, { files, queries, judged, corpus });
  }

  async *read(doneIds: ReadonlySet<string>): AsyncGenerator<InputRecord, void, undefined> {
    const { firstStage, depth, limits, split, onNote } = this.#options;
    const { chunks } = await openInput(firstStage);
    let leftOut = 0;
    for await (const item of readTrecRun(chunks, { maxLineBytes: limits.maxJobBytes, depth })) {
      if (item.status === "unreadable") {
        yield failed(item.lineNumber, item.code, item.message, item.head);
      } else if (this.#isOutside(item.queryId)) {
        leftOut += 1;
      } else {
        for await (const record of this.#recordsOf(item)) {
          if (record.status === "invalid" || !doneIds.has(record.request.id)) yield record;
        }
      }
    }
    if (leftOut > 0) {
      onNote(
        `${firstStage}: ${leftOut} queries that split "${split ?? ""}" does not judge left out`,
      );
    }
  }

  /** @throws RankmillError for a run that {@link read} would stop at: before any work is done */
  async count(): Promise<number> {
    const { firstStage } = this.#options;
    return await this.#countLists().catch(naming(firstStage));
  }

  async #countLists(): Promise<number> {
    const { firstStage, limits } = this.#options;
    let count = 0;
    const options = { maxLineBytes: limits.maxJobBytes };
    for await (const item of readTrecRun(await chunksOf(firstStage), options)) {
      if (item.status === "unreadable" || !this.#isOutside(item.queryId)) count += 1;
    }
    return count;
  }

  async addTo(hash: InputHash): Promise<boolean> {
    const { firstStage, depth, split, docFields } = this.#options;
    const { files } = this.#parts;
    hash.update(JSON.stringify([depth ?? null, split ?? null, docFields]));
    for (const path of [firstStage, files.queries.path]) {
      for await (const chunk of (await openInput(path)).chunks) hash.update(chunk);
    }
    // Too large to be read for this alone; a change nearly always changes one of these.
    const { size, mtimeMs } = await stat(files.corpus.path);
    hash.update(JSON.stringify([size, mtimeMs]));
    return true;
  }

  async close(): Promise<void> {
    await this.#parts.corpus.close();
  }

  /** @returns what is wrong with the index: the query fails alone, without a candidate that it has */
  async #lookUp(
    candidates: readonly TrecCandidate[],
  ): Promise<readonly (CorpusDocument | undefined)[] | RankmillError> {
    try {
      return await this.#parts.corpus.lookupMany(candidates.map((c) => c.documentId));
    } catch (error) {
      if (error instanceof RankmillError && error.code === "damaged") return error;
      throw error;
    }
  }

  #isOutside(queryId: string): boolean {
    const { judged } = this.#parts;
    return judged !== undefined && !judged.has(queryId);
  }

  async *#recordsOf(query: TrecQuery): AsyncGenerator<InputRecord, void, undefined> {
    const { folder, limits, topN } = this.#options;
    const { queryId, lineNumber, candidates } = query;
    const text = this.#parts.queries.get(queryId);
    if (text === undefined) {
      const reason = `query "${queryId}" is in the first-stage run and not in ${folder}`;
      const input = { id: queryId, candidates: candidates.map(({ documentId }) => documentId) };
      yield failed(lineNumber, "query_not_found", reason, input, queryId);
      return;
    }
    const documents: { id: string; text: string }[] = [];
    const found = await this.#lookUp(candidates);
    if (found instanceof RankmillError) {
      const input = { id: queryId, candidates: candidates.map(({ documentId }) => documentId) };
      yield failed(lineNumber, found.code, found.message, input, queryId);
      return;
    }
    for (const [place, candidate] of candidates.entries()) {
      const document = found[place];
      const { documentId: id } = candidate;
      try {
        if (document === undefined) throw notInCorpus(queryId, candidate);
        documents.push({ id, text: documentText(document, this.#options.docFields) });
      } catch (error) {
        const { code, message } = describeError(error);
        const { rank, score } = candidate;
        const input = { query_id: queryId, document_id: id, rank, score };
        yield failed(candidate.lineNumber, code, message, input);
      }
    }
    const wire = { id: queryId, query: text, documents };
    const bytes = Buffer.byteLength(JSON.stringify(wire));
    try {
      const request = parseRequest(wire, limits, bytes);
      yield {
        status: "valid",
        line: lineNumber,
        request: topN === undefined ? request : { ...request, topN },
        bytes,
        ignoredFields: [],
      };
    } catch (error) {
      const { code, message } = describeError(error);
      yield failed(lineNumber, code, message, wire, queryId);
    }
  }
}

async function chunksOf(path: string): Promise<ByteSource> {
  return (await openInput(path)).chunks;
}

/** A collection is several files: a line's number alone does not say which one is to be mended. */
function naming(path: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof RankmillError) || error.message.startsWith(path)) throw error;
    throw new RankmillError(error.code, `${path}: ${error.message}`, { cause: error });
  };
}

function notInCorpus(queryId: string, { documentId }: TrecCandidate): RankmillError {
  return new RankmillError(
    "document_not_found",
    `document "${documentId}" is not in the corpus: query "${queryId}" goes on without it`,
  );
}

function failed(
  line: number,
  code: string,
  reason: string,
  input: unknown,
  id?: string,
): InputRecord {
  return {
    status: "invalid",
    failure: { line, ...(id === undefined ? {} : { id }), code, reason, input },
  };
}

import { mkdtemp, open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RankmillError } from "../core/errors.js";
import { openCorpus, type CorpusIndex } from "../inputs/collection/corpus-index.js";
import { readJsonLines, readLines } from "../inputs/read/lines.js";
import { openInput } from "../inputs/read/open-input.js";
import { detectLineFormat, fromFlagEmbedding, toFlagEmbedding } from "../inputs/formats/pairs.js";
import { formatTrecQuery, readTrecRun } from "../inputs/read/trec.js";

export type RankingsForm =
  | { readonly format: "jsonl" }
  | {
      readonly format: "trec";
      /** The last column. */
      readonly tag: string;
      /** The run whose order of queries is kept; undefined: that of the rankings. */
      readonly firstStage: string | undefined;
      /** Appends beneath each ranking what the first-stage run has besides. */
      readonly keepRest: boolean;
    }
  | {
      readonly format: "flagembedding";
      /** The lines that the scores go back into. */
      readonly input: string;
    };

/** What is needed of a ranking to write it in another form. */
interface Ranking {
  readonly id: string;
  readonly results: readonly {
    readonly index: number;
    readonly id?: string;
    readonly logit: number;
  }[];
}

/** Lines that rankmill wrote itself, or has read before. */
const ANY_LENGTH = { maxLineBytes: Number.MAX_SAFE_INTEGER };
/** Written in one go. */
const WRITE_CHARS = 1_048_576;

/**
 * Writes rankings, as JSONL, in another form; the file appears whole. A ranking is looked up where
 * the form has an order of its own, so that memory does not grow with the run.
 *
 * @throws RankmillError `invalid_field` where a form has no place for an id
 */
export async function exportRankings(
  rankingsPath: string,
  outputPath: string,
  form: Exclude<RankingsForm, { format: "jsonl" }>,
): Promise<void> {
  const temporary = `${outputPath}.tmp`;
  const file = await open(temporary, "w");
  try {
    for await (const text of inBlocks(linesOf(rankingsPath, form))) await file.appendFile(text);
    await file.sync();
  } finally {
    await closeQuietly(file);
  }
  await rename(temporary, outputPath);
}

/** One ranking, a line of JSONL, as lines of a TREC run, each with its end. */
export function trecLines(line: string, tag: string): string {
  const { id, results } = JSON.parse(line) as Ranking;
  return formatTrecQuery(id, results.map(toRanked), { tag });
}

function linesOf(
  rankingsPath: string,
  form: Exclude<RankingsForm, { format: "jsonl" }>,
): AsyncIterable<string> {
  if (form.format === "flagembedding") return flagEmbeddingLines(rankingsPath, form.input);
  const { tag, firstStage, keepRest } = form;
  return firstStage === undefined
    ? trecInOrder(rankingsPath, tag)
    : trecByFirstStage(rankingsPath, firstStage, tag, keepRest);
}

async function* trecInOrder(rankingsPath: string, tag: string): AsyncGenerator<string> {
  const { chunks } = await openInput(rankingsPath);
  for await (const line of readLines(chunks, ANY_LENGTH)) {
    if (line.status === "line") yield trecLines(line.text, tag);
  }
}

async function* trecByFirstStage(
  rankingsPath: string,
  firstStage: string,
  tag: string,
  keepRest: boolean,
): AsyncGenerator<string> {
  const rankings = await RankingIndex.open(rankingsPath);
  try {
    const { chunks } = await openInput(firstStage);
    for await (const query of readTrecRun(chunks, ANY_LENGTH)) {
      if (query.status !== "query") continue;
      const results = await rankings.resultsOf(query.queryId);
      if (results === undefined) continue;
      const ranking = results.map(toRanked);
      const ranked = new Set(ranking.map(({ id }) => id));
      const rest = keepRest
        ? query.candidates.map(({ documentId }) => documentId).filter((id) => !ranked.has(id))
        : [];
      yield formatTrecQuery(query.queryId, ranking, { tag, rest });
    }
  } finally {
    await rankings.close();
  }
}

async function* flagEmbeddingLines(rankingsPath: string, input: string): AsyncGenerator<string> {
  const rankings = await RankingIndex.open(rankingsPath);
  // Of lines with one id, the first is the one that was ranked.
  const written = new Set<string>();
  try {
    const { chunks } = await openInput(input);
    for await (const line of readJsonLines(chunks, ANY_LENGTH)) {
      if (line.status !== "parsed" || detectLineFormat(line.value) !== "flag_embedding") continue;
      const conversion = fromFlagEmbedding(line.value);
      const id = conversion.status === "converted" ? conversion.job.id : undefined;
      if (typeof id !== "string" || written.has(id)) continue;
      const results = await rankings.resultsOf(id);
      if (results === undefined) continue;
      written.add(id);
      yield `${JSON.stringify(toFlagEmbedding(line.value, results))}\n`;
    }
  } finally {
    await rankings.close();
  }
}

/** Rankings by id, in a temporary index beside them. */
class RankingIndex {
  readonly #index: CorpusIndex;
  readonly #folder: string;

  private constructor(index: CorpusIndex, folder: string) {
    this.#index = index;
    this.#folder = folder;
  }

  static async open(rankingsPath: string): Promise<RankingIndex> {
    const folder = await mkdtemp(join(dirname(rankingsPath), ".rankmill-index-"));
    try {
      const index = await openCorpus({
        path: rankingsPath,
        format: "jsonl",
        cacheDir: folder,
        ...ANY_LENGTH,
      });
      return new RankingIndex(index, folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** @returns undefined for a record without a ranking */
  async resultsOf(id: string): Promise<Ranking["results"] | undefined> {
    const found = await this.#index.lookup(id);
    return found?.fields["results"] as Ranking["results"] | undefined;
  }

  async close(): Promise<void> {
    await this.#index.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function toRanked({ id, index, logit }: Ranking["results"][number]): { id: string; logit: number } {
  if (id === undefined) {
    throw new RankmillError("invalid_field", `documents[${index}].id: is missing for a TREC run`);
  }
  return { id, logit };
}

async function* inBlocks(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let block = "";
  for await (const line of lines) {
    block += line;
    if (block.length < WRITE_CHARS) continue;
    yield block;
    block = "";
  }
  if (block !== "") yield block;
}

/** A failed write has its own error; that of closing would hide it. */
async function closeQuietly(file: FileHandle): Promise<void> {
  await file.close().catch(() => undefined);
}

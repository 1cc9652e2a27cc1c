import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CorpusIndex } from "../../inputs/collection/corpus-index.js";
import { openCorpus } from "../../inputs/collection/open-corpus.js";
import { parseResults, type RankedResult } from "./ranking.js";

/**
 * Rankings by id, in a temporary index beside them: for forms that have an order of their own, so that
 * memory does not grow with the run.
 */
export class RankingIndex {
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
        maxLineBytes: Number.MAX_SAFE_INTEGER,
      });
      return new RankingIndex(index, folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** @returns undefined for a record without a ranking */
  async resultsOf(id: string): Promise<readonly RankedResult[] | undefined> {
    const found = await this.#index.lookup(id);
    return found === undefined ? undefined : parseResults(found.fields["results"]);
  }

  async close(): Promise<void> {
    await this.#index.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

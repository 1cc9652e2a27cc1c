import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_MAX_TOKENS } from "../../../models/builtin-bm25/constants.js";
import { openBuiltinModel, openBuiltinTokenizer } from "../../support/builtin-model.js";
import { DATA, given, longTests, testData } from "../../support/needs.js";

const SCIFACT = join(DATA, "collections/scifact");

const LOWEST_NDCG = 0.6;
const CUTOFF = 10;
const SPECIAL_TOKENS = 3;
const PAIRS_PER_RUN = 8;

async function lines(name: string): Promise<string[]> {
  const text = await readFile(join(SCIFACT, name), "utf8");
  return text.split("\n").filter((line) => line !== "");
}

async function texts(name: string): Promise<Map<string, string>> {
  const records: { _id: string; title?: string; text: string }[] = (await lines(name)).map((line) =>
    JSON.parse(line),
  );
  return new Map(records.map(({ _id, title, text }) => [_id, title ? `${title} ${text}` : text]));
}

function byFirst(rows: readonly string[][]): Map<string, string[][]> {
  const groups = new Map<string, string[][]>();
  for (const row of rows) {
    const [key = ""] = row;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return groups;
}

function gain(grades: readonly number[]): number {
  return grades
    .slice(0, CUTOFF)
    .reduce((sum, grade, index) => sum + (2 ** grade - 1) / Math.log2(index + 2), 0);
}

/** Gains 2^grade - 1, over the ideal order of all that is judged relevant. */
function ndcg(ranking: readonly string[], grades: ReadonlyMap<string, number>): number {
  const ideal = [...grades.values()].toSorted((a, b) => b - a);
  return gain(ranking.map((id) => grades.get(id) ?? 0)) / gain(ideal);
}

describe(
  "reranking the best hundred of SciFact",
  given(testData("collections/scifact"), longTests),
  () => {
    it(`reaches nDCG@10 of ${LOWEST_NDCG} over every judged query`, async () => {
      const score = await openBuiltinModel();
      const encode = openBuiltinTokenizer();
      const [documents, queries] = [await texts("corpus.jsonl"), await texts("queries.jsonl")];
      const encodeAll = async (all: ReadonlyMap<string, string>) => {
        const ids = await encode([...all.values()]);
        return new Map([...all.keys()].map((id, index) => [id, ids[index] ?? []]));
      };
      const [documentIds, queryIds] = [await encodeAll(documents), await encodeAll(queries)];

      const candidates = byFirst((await lines("bm25.trec")).map((line) => line.split(" ")));
      const judged = (await lines("qrels.tsv")).slice(1).map((line) => line.split("\t"));
      const results: number[] = [];
      for (const [queryId, rows] of byFirst(judged)) {
        const query = queryIds.get(queryId) ?? [];
        const room = DEFAULT_MAX_TOKENS - SPECIAL_TOKENS - query.length;
        const pairs = (candidates.get(queryId) ?? [])
          .map(([, , id = ""]) => ({
            id,
            query,
            document: documentIds.get(id)?.slice(0, room) ?? [],
          }))
          .toSorted((a, b) => a.document.length - b.document.length);
        const scored: { id: string; logit: number }[] = [];
        for (let start = 0; start < pairs.length; start += PAIRS_PER_RUN) {
          const run = pairs.slice(start, start + PAIRS_PER_RUN);
          const logits = await score(run);
          scored.push(...run.map(({ id }, index) => ({ id, logit: logits[index] ?? Number.NaN })));
        }
        const ranking = scored.toSorted((a, b) => b.logit - a.logit).map(({ id }) => id);
        results.push(ndcg(ranking, new Map(rows.map(([, id = "", grade]) => [id, Number(grade)]))));
      }
      const mean = results.reduce((sum, value) => sum + value, 0) / results.length;
      expect(results).toHaveLength(300);
      expect(mean).toBeGreaterThanOrEqual(LOWEST_NDCG);
      process.stderr.write(`SciFact, BM25's best 100 reranked: nDCG@10 ${mean.toFixed(4)}\n`);
    });
  },
);

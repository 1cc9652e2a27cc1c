/** TREC runs, judgements and queries. */
import { Evaluator, type Qrels } from "../../../src/core/evaluation.js";
import { formatTrecQuery, loadTrecRun, readTrecRun } from "../../../src/inputs/read/trec.js";
import { readQrels, readQueries } from "../../../src/inputs/read/tsv.js";
import { mutated } from "../support/mutate.js";
import { all, inPieces, must, type FuzzTarget } from "../support/target.js";

const LINES = { maxLineBytes: 2_000 };
const RUNS = [
  "q1 Q0 d1 1 9.5 t\nq1 Q0 d2 2 3 t\nq1 Q0 d3 3 3 t\nq2 Q0 d1 1 -1e-3 t\n",
  "q1\tQ0\td1\t1\t0.5\tt\r\nq2  Q0  d9  0  16777217  t ",
];
const QRELS = [
  "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\nq2\td1\t2\n",
  "q1 0 d1 1\nq1 0 d2 1.0\nq2 0 d 3 -1\n",
];
const QUERIES = [
  '{"_id":"q1","text":"one","metadata":{}}\n{"_id":2,"text":"two"}\n',
  "q1\tone\nq2\ttwo words\n",
];

export const trec: FuzzTarget = {
  name: "trec",
  files: false,
  weight: 8,
  run: async ({ random }) => {
    const bytes = mutated(random, RUNS);
    const depth = [undefined, 1, 2][random.between(0, 2)];
    const found = await all(readTrecRun(inPieces(random, bytes), { ...LINES, depth }));
    const seen = new Set<string>();
    for (const query of found) {
      if (query.status !== "query") continue;
      const { queryId, candidates, rest } = query;
      must(!seen.has(queryId), "a query stands twice", queryId);
      seen.add(queryId);
      const scores = [...candidates, ...rest].map(({ score }) => score);
      must(scores.every(Number.isFinite), "a score is no number", scores);
      const ids = candidates.map(({ documentId }) => documentId);
      const ranking = candidates.map(({ documentId: id, score: logit }) => ({ id, logit }));
      const text = formatTrecQuery(queryId, ranking, {
        tag: "t",
        rest: rest.map((r) => r.documentId),
      });
      const [again] = await all(readTrecRun(inPieces(random, Buffer.from(text)), LINES));
      const order = again?.status === "query" ? again.candidates.map((c) => c.documentId) : [];
      must(
        order.slice(0, ids.length).join("\n") === ids.join("\n"),
        "an order changes",
        ids,
        order,
      );
    }
  },
};

export const qrels: FuzzTarget = {
  name: "qrels",
  files: false,
  weight: 7,
  run: async ({ random }) => {
    const judged: Qrels = await readQrels(inPieces(random, mutated(random, QRELS)), LINES);
    const evaluator = new Evaluator(judged, { ignoreIdenticalIds: false });
    const run = await loadTrecRun(inPieces(random, mutated(random, RUNS)), LINES);
    for (const [id, documents] of run) evaluator.add(id, documents);
    const { mean } = evaluator.result();
    const measures = Object.values(mean);
    must(
      measures.every((one) => one >= 0 && one <= 1),
      "a measure is out of its range",
      mean,
    );
  },
};

export const queries: FuzzTarget = {
  name: "queries",
  files: false,
  weight: 8,
  run: async ({ random }) => {
    const format = random.pick(["jsonl", "tsv"] as const);
    const found = await readQueries(inPieces(random, mutated(random, QUERIES)), {
      ...LINES,
      format,
    });
    for (const [id, text] of found) must(id !== "" && typeof text === "string", "no query", id);
  },
};

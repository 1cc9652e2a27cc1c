/** A model whose graph ends in a sigmoid of its own: its scores are not activated a second time. */
import { cp, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildGraph } from "../../models/builtin-bm25/graph.js";
import { encodeOnnxModel } from "../../models/builtin-bm25/onnx-encoder.js";
import { buildVocabulary } from "../../models/builtin-bm25/vocabulary.js";
import { BUILTIN_FOLDER } from "../support/builtin-model.js";
import { Bench, rerank } from "../support/cli.js";
import { readRankings, writeRecords } from "../support/records.js";

const DOCUMENTS = ["the mill turns", "a wheel", "the mill wheel turns all day"];

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.open();
  await cp(BUILTIN_FOLDER, bench.path("activated"), { recursive: true });
  const graph = buildGraph(buildVocabulary());
  const sigmoid = { opType: "Sigmoid", inputs: ["logits"], outputs: ["scores"], attributes: {} };
  const outputs = graph.outputs.map((output) => ({ ...output, name: "scores" }));
  const activated = { ...graph, nodes: [...graph.nodes, sigmoid], outputs };
  await writeFile(bench.path("activated/model.onnx"), encodeOnnxModel(activated));
});

afterEach(async () => {
  await bench.close();
});

it("a graph that ends in an activation of its own gives its output as logit and as score", async () => {
  writeRecords(bench.path("in.jsonl"), [{ id: "a", query: "mill wheel", documents: DOCUMENTS }]);
  const options = "--no-calibrate --lanes 1";
  expect(await bench.run(rerank("in.jsonl", "plain.jsonl", options))).toMatchObject({ code: 0 });
  const activated = rerank("in.jsonl", "activated.jsonl", options, "./activated");
  expect(await bench.run(activated)).toMatchObject({ code: 0 });
  const [plain] = readRankings(bench.path("plain.jsonl"));
  const [own] = readRankings(bench.path("activated.jsonl"));
  expect(own?.results.map(({ index }) => index)).toEqual(plain?.results.map(({ index }) => index));
  for (const [rank, { relevance_score: score, logit }] of (own?.results ?? []).entries()) {
    expect(score).toBe(logit);
    expect(score).toBeCloseTo(plain?.results[rank]?.relevance_score ?? Number.NaN, 6);
  }
  expect(own?.results).toHaveLength(DOCUMENTS.length);
});

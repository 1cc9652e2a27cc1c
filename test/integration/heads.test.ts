/** Models whose graphs give several numbers per pair, from the graph to the ranking. */
import { cp, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildGraph } from "../../models/builtin-bm25/graph.js";
import { encodeOnnxModel, type GraphNode } from "../../models/builtin-bm25/onnx-encoder.js";
import { buildVocabulary } from "../../models/builtin-bm25/vocabulary.js";
import { BUILTIN_FOLDER } from "../support/builtin-model.js";
import { Bench, rerank } from "../support/cli.js";
import { readRankings, writeRecords } from "../support/records.js";

const DOCUMENTS = ["the mill turns", "a wheel", "the mill wheel turns all day"];
const OPTIONS = "--no-calibrate --lanes 1";

let bench: Bench;

function node(opType: string, inputs: string[], output: string, attributes = {}): GraphNode {
  return { opType, inputs, outputs: [output], attributes };
}

/** The builtin model with three numbers per pair: its logit negated, zero, and its logit. */
beforeEach(async () => {
  bench = await Bench.open();
  await cp(BUILTIN_FOLDER, bench.path("labels"), { recursive: true });
  const graph = buildGraph(buildVocabulary());
  const nodes = [
    ...graph.nodes,
    node("Neg", ["logits"], "negated"),
    node("Sub", ["logits", "logits"], "zero"),
    node("Concat", ["negated", "zero", "logits"], "labels", { axis: 1 }),
  ];
  const outputs = graph.outputs.map((output) => ({
    ...output,
    name: "labels",
    dims: ["batch", 3],
  }));
  await writeFile(bench.path("labels/model.onnx"), encodeOnnxModel({ ...graph, nodes, outputs }));
  const id2label = { "0": "contradiction", "1": "neutral", "2": "entailment" };
  await writeFile(
    bench.path("labels/config.json"),
    JSON.stringify({ model_type: "bm25", max_position_embeddings: 2048, id2label }),
  );
  writeRecords(bench.path("in.jsonl"), [{ id: "a", query: "mill wheel", documents: DOCUMENTS }]);
});

afterEach(async () => {
  await bench.close();
});

async function scoresOf(output: string): Promise<{ logit: number; score: number }[]> {
  const [ranking] = readRankings(bench.path(output));
  return (ranking?.results ?? [])
    .toSorted((a, b) => a.index - b.index)
    .map(({ logit, relevance_score: score }) => ({ logit, score }));
}

it("a head makes one logit of several numbers, and its scale and activation the score", async () => {
  expect(await bench.run(rerank("in.jsonl", "plain.jsonl", OPTIONS))).toMatchObject({ code: 0 });
  const plain = await scoresOf("plain.jsonl");
  expect(plain).toHaveLength(DOCUMENTS.length);
  const heads = {
    label: [{ head: { kind: "label", label: "entailment" } }, (x: number) => x],
    difference: [{ head: { kind: "difference", label: 2, against: 0 } }, (x: number) => 2 * x],
    softmax: [
      { head: { kind: "softmax", label: "entailment", scale: 0.2 }, activation: "identity" },
      (x: number) => (x - Math.log(Math.exp(-x) + 1)) / 5,
    ],
  } as const;
  for (const [name, [settings, expected]] of Object.entries(heads)) {
    await writeFile(bench.path("labels/rankmill.json"), JSON.stringify(settings));
    const command = rerank("in.jsonl", `${name}.jsonl`, OPTIONS, "./labels");
    expect(await bench.run(command)).toMatchObject({ code: 0 });
    const found = await scoresOf(`${name}.jsonl`);
    for (const [i, { logit, score }] of found.entries()) {
      expect(logit).toBeCloseTo(expected(plain[i]?.logit ?? Number.NaN), 5);
      expect(score).toBeCloseTo("activation" in settings ? logit : 1 / (1 + Math.exp(-logit)), 6);
    }
  }
});

it("a graph with several numbers and no head is refused with what to write", async () => {
  const command = rerank("in.jsonl", "out.jsonl", OPTIONS, "./labels");
  const { code, stderr } = await bench.run(command);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/3 labels \(contradiction, neutral, entailment\).*"head".*rankmill\.json/);
});

/** Models that give no number, for all pairs or for some. */
import { cp, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildGraph } from "../../models/builtin-bm25/graph.js";
import { encodeOnnxModel } from "../../models/builtin-bm25/onnx-encoder.js";
import { buildVocabulary } from "../../models/builtin-bm25/vocabulary.js";
import { BUILTIN_FOLDER } from "../support/builtin-model.js";
import { Bench, rerank } from "../support/cli.js";
import { readRankings, writeRecords } from "../support/records.js";

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.open();
  const documents = ["the mill turns", "nothing of the kind"];
  writeRecords(bench.path("in.jsonl"), [{ id: "a", query: "mill", documents }]);
});

afterEach(async () => {
  await bench.close();
});

/** A model beside the records whose logits go through `operators`. */
async function modelThrough(operators: readonly string[]): Promise<void> {
  await cp(BUILTIN_FOLDER, bench.path("broken"), { recursive: true });
  const graph = buildGraph(buildVocabulary());
  const names = ["logits", ...operators.slice(1).map((_, i) => `step${i}`), "scores"];
  const nodes = operators.map((opType, i) => ({
    opType,
    inputs: [names[i] ?? ""],
    outputs: [names[i + 1] ?? ""],
    attributes: {},
  }));
  const outputs = graph.outputs.map((output) => ({ ...output, name: "scores" }));
  const broken = { ...graph, nodes: [...graph.nodes, ...nodes], outputs };
  await writeFile(bench.path("broken/model.onnx"), encodeOnnxModel(broken));
}

describe("a model that gives no number", () => {
  it("ends the run in one line, before a record is ranked, if no pair gets a number", async () => {
    await modelThrough(["Exp", "Neg", "Sqrt"]);
    const options = "--no-calibrate --lanes 1";
    const exit = await bench.run(rerank("in.jsonl", "out.jsonl", options, "./broken"));
    expect(exit.stderr).toMatch(/gives no number for any pair.*export it again/);
    expect(exit.stderr).not.toMatch(/\n\s+at /);
    expect(exit.code).toBe(2);
  });

  it("ends the run with exit 3 if some pairs get no number, and the closing lines count the documents", async () => {
    await modelThrough(["Neg", "Sqrt"]);
    const options = "--no-calibrate --lanes 1 --no-prepare";
    const exit = await bench.run(rerank("in.jsonl", "out.jsonl", options, "./broken"));
    expect(exit.stderr).toContain("1 document could not be scored");
    expect(exit.code).toBe(3);
    expect(readRankings(bench.path("out.jsonl"))[0]).toMatchObject({
      results: [{ index: 1 }],
      errors: [{ index: 0, code: "not_a_number" }],
    });
  });
});

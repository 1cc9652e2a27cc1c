/** Graphs whose last layer was made to compute the first token alone, run by ONNX Runtime beside the originals. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keepFirstTokenOfPlain } from "../../src/inference/prepare/graph/plain-first-token.js";
import { readGraph } from "../../src/inference/prepare/graph/onnx-graph.js";
import { PROBES, WHOLE_PROBES } from "../../src/inference/prepare/probes.js";
import { ModelSession } from "../../src/inference/session/model-session.js";
import { laneOptions, type FixtureModel } from "../support/lanes.js";

/** Decimals to which logits of a few units agree. */
const DECIMALS = 5;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-first-token-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function logitsOf(name: FixtureModel, onnxPath: string): Promise<number[]> {
  const session = await ModelSession.open({ ...laneOptions(name).model, onnxPath });
  const logits: number[] = [];
  for (const input of [...PROBES, ...WHOLE_PROBES]) logits.push(...(await session.run(input)));
  await session.close();
  return logits;
}

describe("an encoder whose last layer computes the first token alone", () => {
  it.each<FixtureModel>(["bert", "electra", "xlm-roberta"])(
    "gives the original's logits, alone and padded: %s",
    async (name) => {
      const { onnxPath } = laneOptions(name).model;
      const changed = keepFirstTokenOfPlain(await readFile(onnxPath));
      if (changed === undefined) throw new Error("it was left alone");
      const path = join(folder, `${name}.onnx`);
      await writeFile(path, changed);
      const [expected, got] = [await logitsOf(name, onnxPath), await logitsOf(name, path)];
      expect(got).toHaveLength(expected.length);
      for (const [i, logit] of got.entries()) expect(logit).toBeCloseTo(expected[i] ?? 0, DECIMALS);
    },
  );

  it("makes the query of its last layer, and its attention, of one token", async () => {
    const original = readGraph(await readFile(laneOptions("bert").model.onnxPath));
    const changed = keepFirstTokenOfPlain(await readFile(laneOptions("bert").model.onnxPath));
    const nodes = readGraph(changed ?? Buffer.alloc(0)).nodes;
    const count = (operator: string, all = nodes): number =>
      all.filter((node) => node.operator === operator).length;
    // No product is made twice.
    expect(count("MatMul")).toBe(count("MatMul", original.nodes));
    const narrow = nodes.filter(({ outputs }) => /\/first[12]$/.test(outputs[0] ?? ""));
    expect(count("Softmax", narrow)).toBe(1);
    // Query, scores, weighted values, and the three products after attention.
    expect(count("MatMul", narrow)).toBe(6);
  });

  it.each<FixtureModel>(["modernbert", "qwen2", "gemma"])(
    "is no graph that ends otherwise: %s",
    async (name) => {
      expect(keepFirstTokenOfPlain(await readFile(laneOptions(name).model.onnxPath))).toBe(
        undefined,
      );
    },
  );
});

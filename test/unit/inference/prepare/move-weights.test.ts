import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { moveWeights } from "../../../../src/inference/prepare/move-weights.js";
import { readOnnxOutline } from "../../../../src/models/onnx/onnx-outline.js";
import { laneOptions } from "../../../support/lanes.js";

const { onnxPath } = laneOptions("bert").model;
const DATA_NAME = "model.onnx.data";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-weights-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("weights that are moved into a file of their own", () => {
  it("are where the graph says, and everything else of the graph is as it was", async () => {
    const save = { onnxPath: join(folder, "model.onnx"), dataName: DATA_NAME };
    await moveWeights(onnxPath, save);
    const [before, after] = [readOnnxOutline(onnxPath), readOnnxOutline(save.onnxPath)];
    const { externalData, ...rest } = after;
    expect({ ...rest, externalData: new Map() }).toEqual(before);
    const data = await stat(join(folder, DATA_NAME));
    expect(externalData).toEqual(new Map([[DATA_NAME, data.size]]));
    const [original, graph] = [await stat(onnxPath), await stat(save.onnxPath)];
    expect(graph.size + data.size).toBeGreaterThan(original.size);
    expect(graph.size).toBeLessThan(original.size / 2);
  });

  it("are the bytes that were in the graph", async () => {
    const original = await readFile(onnxPath);
    const data = await readFile(join(folder, DATA_NAME));
    for (let at = 0; at + 64 <= data.length; at += Math.ceil(data.length / 20 / 64) * 64) {
      expect(original.includes(data.subarray(at, at + 32))).toBe(true);
    }
  });

  it("do not overwrite what is there", async () => {
    const save = { onnxPath: join(folder, "model.onnx"), dataName: DATA_NAME };
    await expect(moveWeights(onnxPath, save)).rejects.toThrow(/EEXIST/);
  });
});

import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { moveWeights } from "../../../../src/inference/prepare/move-weights.js";
import { readOnnxOutline } from "../../../../src/models/onnx/onnx-outline.js";
import { laneOptions } from "../../../support/lanes.js";

const { onnxPath } = laneOptions("bert").model;
const DATA_NAME = "model.onnx.data";
const OTHER_NAME = "other.onnx.data";

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

  it("are copied from where they lie outside the graph, from several files as well", async () => {
    const parts = join(folder, "parts");
    const again = join(folder, "again");
    await Promise.all([parts, again].map(async (path) => mkdir(path)));
    const graph = await readFile(join(folder, "model.onnx"));
    // A name of the same length, for one of the tensors.
    const at = graph.lastIndexOf(DATA_NAME);
    graph.write(OTHER_NAME, at);
    await writeFile(join(parts, "model.onnx"), graph);
    for (const name of [DATA_NAME, OTHER_NAME]) {
      await copyFile(join(folder, DATA_NAME), join(parts, name));
    }
    const save = { onnxPath: join(again, "model.onnx"), dataName: DATA_NAME };
    await moveWeights(join(parts, "model.onnx"), save);
    expect(await readFile(join(again, DATA_NAME))).toEqual(await readFile(join(folder, DATA_NAME)));
    expect(readOnnxOutline(save.onnxPath)).toEqual(readOnnxOutline(join(folder, "model.onnx")));
  });

  it("are refused if their file is cut off", async () => {
    const cut = join(folder, "cut");
    await mkdir(cut);
    await copyFile(join(folder, "model.onnx"), join(cut, "model.onnx"));
    const data = await readFile(join(folder, DATA_NAME));
    await writeFile(join(cut, DATA_NAME), data.subarray(0, -1));
    const save = { onnxPath: join(cut, "moved.onnx"), dataName: "moved.data" };
    await expect(moveWeights(join(cut, "model.onnx"), save)).rejects.toThrow(
      `${DATA_NAME} has ${data.length - 1} of ${data.length} bytes`,
    );
  });

  it("do not overwrite what is there", async () => {
    const save = { onnxPath: join(folder, "model.onnx"), dataName: DATA_NAME };
    await expect(moveWeights(onnxPath, save)).rejects.toThrow(/EEXIST/);
  });
});

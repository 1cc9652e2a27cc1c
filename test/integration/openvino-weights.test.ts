/** The weights that a lane of OpenVINO maps, and how much of them counts as its memory. */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LaneProcess } from "../../src/inference/lanes/lane-process.js";
import type { LaneModel } from "../../src/inference/lanes/lane-protocol.js";
import { moveWeights } from "../../src/inference/prepare/move-weights.js";
import { writeWideModel } from "../containers/support/wide-model.js";
import { laneOptions, randomPair } from "../support/lanes.js";
import { given, openvino, OPENVINO_DIR } from "../support/needs.js";
import { SeededRandom } from "../support/random.js";

const DATA_NAME = "model.onnx.data";
const PAIRS = 8;
const PAIR = 64;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-mapped-"));
  writeWideModel(folder);
  await moveWeights(join(folder, "onnx/model.onnx"), {
    onnxPath: join(folder, "model.onnx"),
    dataName: DATA_NAME,
  });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function open(model: Partial<LaneModel>): Promise<LaneProcess> {
  const options = laneOptions("bert");
  return await LaneProcess.start(0, { ...options, model: { ...options.model, ...model } });
}

/** Bytes of the file of weights that count as memory of a process. */
async function heldOf(pid: number): Promise<number> {
  const regions = (await readFile(`/proc/${pid}/smaps`, "utf8")).split(/^(?=[0-9a-f]+-)/m);
  const mapped = regions.filter((region) => region.split("\n")[0]?.endsWith(DATA_NAME));
  expect(mapped).not.toEqual([]);
  return (
    mapped.reduce((sum, region) => sum + Number(/^Rss:\s+(\d+) kB$/m.exec(region)?.[1]), 0) * 1_024
  );
}

describe("weights that a lane of OpenVINO maps", given(openvino), () => {
  it("are not its memory once it is ready, and give the scores that they gave", async () => {
    const random = new SeededRandom(3);
    const pairs = Array.from({ length: PAIRS }, () => randomPair(random, PAIR));
    const runtime = { kind: "openvino", libraryDir: OPENVINO_DIR } as const;
    const lane = await open({ onnxPath: join(folder, "model.onnx"), runtime });
    const own = await open({ onnxPath: join(folder, "onnx/model.onnx"), runtime });
    try {
      const { size } = await stat(join(folder, DATA_NAME));
      // Its first pair has read some rows since, each with pages beside it.
      expect(await heldOf(lane.pid)).toBeLessThan(size / 2);
      expect(await lane.score([pairs])).toEqual(await own.score([pairs]));
    } finally {
      await Promise.all([lane.drain("the test is over"), own.drain("the test is over")]);
    }
  });
});

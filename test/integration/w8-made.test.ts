/** 8-bit weights made from the fp32 file of a model that has no w8 file. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EncodedPair } from "../../src/core/pair.js";
import { LaneProcess, type LaneProcessOptions } from "../../src/inference/lanes/lane-process.js";
import { resolveModel } from "../../src/models/resolve.js";
import { packageRoot } from "../../src/platform/package-root.js";
import { modelTag } from "../../src/redis/keys.js";
import { preparedOptions } from "../support/fidelity.js";
import { fixtureFolder, laneOptions, randomPair } from "../support/lanes.js";
import { SeededRandom } from "../support/random.js";

/** Seen: 0.05. */
const FURTHEST = 0.2;

let cacheDir: string;

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "rankmill-made-"));
});

afterAll(() => rm(cacheDir, { recursive: true, force: true }));

function somePairs(): EncodedPair[] {
  const random = new SeededRandom(3);
  return [3, 17, 64, 111, 150].map((length) => randomPair(random, length));
}

async function logitsOf(options: LaneProcessOptions): Promise<number[]> {
  const lane = await LaneProcess.start(0, options);
  try {
    return (await lane.score(somePairs().map((pair) => [pair]))).flat();
  } finally {
    lane.kill();
    await lane.died;
  }
}

describe("w8 of a model without a w8 file", () => {
  it("is computed from its fp32 file, on a queue of its own", async () => {
    const places = { packageRoot: packageRoot() };
    const model = await resolveModel(fixtureFolder("bert"), { ...places, precision: "w8" });
    expect(model).toMatchObject({ precision: "w8", form: "made", file: { precision: "fp32" } });
    expect(modelTag(model)).toMatch(/\.w8-made\.v1$/);
  });

  it("is near to fp32, and other than it", async () => {
    const fp32 = await logitsOf(laneOptions("bert"));
    const made = await logitsOf(await preparedOptions("bert", "fp32", cacheDir, "made"));
    const differences = made.map((logit, i) => Math.abs(logit - (fp32[i] ?? Number.NaN)));
    expect(Math.max(...differences)).toBeGreaterThan(0);
    expect(Math.max(...differences)).toBeLessThan(FURTHEST);
  });
});

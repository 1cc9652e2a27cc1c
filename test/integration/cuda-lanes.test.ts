/**
 * The behaviour of lanes on a GPU beyond those on a CPU, on the real pool and batcher. No GPU is needed: the
 * padding and the warm-up run on the CPU's provider, and failures are said by a stand-in for a lane,
 * in the words of CUDA.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { pino } from "pino";
import { quadraticAt } from "../../src/core/cost/quadratic.js";
import type { BatchShape } from "../../src/core/cost/lane-cost.js";
import { LanePool, type LaneEvent } from "../../src/inference/lanes/lane-pool.js";
import { LaneProcess } from "../../src/inference/lanes/lane-process.js";
import { resolveModel, type ResolvedModel } from "../../src/models/resolve.js";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../src/pipeline/batch/batcher.js";
import { planLanes } from "../../src/capacity/plan-lanes.js";
import type { LanePlan, LanePlanOptions } from "../../src/capacity/lane-plan.js";
import { FIXTURE_TOKENIZER, fixtureFolder, laneOptions, randomPair } from "../support/lanes.js";
import { SeededRandom } from "../support/random.js";
import { until } from "../support/until.js";

const never = new AbortController().signal;
const random = new SeededRandom(23);
let folder: string;
const started: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-cuda-lanes-"));
});
afterEach(async () => {
  for (const end of started.splice(0)) await end();
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function startLane(model: Partial<ReturnType<typeof laneOptions>["model"]>) {
  const options = laneOptions("bert");
  const lane = await LaneProcess.start(0, { ...options, model: { ...options.model, ...model } });
  started.push(() => lane.drain("the test is over"));
  return lane;
}

/**
 * A lane whose logits are lengths plus 1,000 times its GPU's number, and whose memory is rows ×
 * padded length of one batch. If the file BROKEN is not there, the lane makes it and answers as a
 * broken context does, from then on for ever.
 */
async function fakeLane(name: string, roomTokens: number, breaks: boolean): Promise<string> {
  const path = join(folder, `${name}.mjs`);
  const program = `
    import { existsSync, writeFileSync } from "node:fs";
    const broken = ${JSON.stringify(join(folder, `${name}.broken`))};
    let model, dead = false;
    process.on("disconnect", () => process.exit());
    process.on("message", (message) => {
      if (message.type === "open") {
        model = message.model;
        const { rows, length } = model.warmUp ?? { rows: 0, length: 0 };
        const tooLarge = rows * length > ${roomTokens} ? { rows, length } : undefined;
        process.send({ type: "ready", openMs: 1, residentBytes: 1, tooLarge });
        return;
      }
      const { seq } = message;
      if (${String(breaks)} && !existsSync(broken)) {
        writeFileSync(broken, "");
        dead = true;
      }
      const failed = (text) => process.send({ type: "failed", seq, message: text });
      if (dead) {
        failed("cuda_call.cc:154 void onnxruntime::CudaCall() CUDA failure 700: an illegal memory access was encountered ; GPU=" + model.card + " ; hostname=h ; expr=cudaStreamSynchronize(stream); ");
        return;
      }
      for (const { ids } of message.batches) {
        const longest = Math.max(...ids.map((row) => row.length));
        const padded = model.lengthBuckets.find((bucket) => bucket >= longest) ?? longest;
        if (ids.length * padded > ${roomTokens}) {
          failed("Non-zero status code returned while running Add node. Status Message: bfc_arena.cc:368 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) Failed to allocate memory for requested buffer of size 939524096");
          return;
        }
      }
      const logits = message.batches.map(({ ids }) => Float32Array.from(ids, (row) => 1000 * model.card + row.length));
      process.send({ type: "done", seq, logits, scoreMs: 1, residentBytes: 1e9 });
    });`;
  await writeFile(path, program);
  return path;
}

async function startPool(
  entryPath: string,
  lanes = 1,
  { maxLength, ...asked }: Partial<Pick<ResolvedModel, "maxLength">> & LanePlanOptions = {},
) {
  const found = await resolveModel(fixtureFolder("bert"), { packageRoot: folder });
  const model = { ...found, maxLength: maxLength ?? found.maxLength };
  const plan = await planLanes({
    model,
    device: { kind: "cuda", cards: lanes },
    laneModel: { ...laneOptions("bert").model, device: "cuda" },
    entryPath,
    env: process.env,
    tokenizer: FIXTURE_TOKENIZER,
    maxJobBytes: 1_000_000,
    memoryLimitBytes: 8 * 1024 ** 3,
    logger: pino({ level: "silent" }),
    ...asked,
  });
  const { limits, memory, messages } = plan;
  const batcher = new Batcher({ ...DEFAULT_BATCHER_OPTIONS, ...messages, limits }, memory);
  const events: LaneEvent[] = [];
  const pool = new LanePool(batcher, {
    lanes: plan.lanes,
    cards: lanes,
    entryPath,
    env: process.env,
    openTimeoutMs: 30_000,
    model: plan.laneModel,
    onEvent: (event) => {
      events.push(event);
      if (event.type === "ready" && event.tooLarge !== undefined)
        plan.memory.tooLarge(event.tooLarge);
    },
  });
  started.push(() => pool.close());
  await pool.start();
  return { batcher, pool, events, plan };
}

function warmUpOf({ laneModel }: LanePlan): BatchShape {
  expect(laneModel.warmUp).toBeDefined();
  return laneModel.warmUp ?? { rows: 0, length: 0 };
}

function pairs(count: number, longest: number) {
  return Array.from({ length: count }, (_, i) => randomPair(random, 8 + (i % (longest - 8))));
}

describe("a lane that pads to buckets", () => {
  it("gives the scores of a lane that does not, up to the last bits", async () => {
    const exact = await startLane({});
    const padded = await startLane({ lengthBuckets: [32, 64, 128] });
    const rows = [7, 20, 31].map((length) => randomPair(random, length));
    const [expected = []] = await exact.score([rows]);
    const [got = []] = await padded.score([rows]);
    expect(got).toHaveLength(3);
    got.forEach((logit, i) => expect(logit).toBeCloseTo(expected[i] ?? Number.NaN, 4));
  });

  it("is ready after its warm-up, and holds the memory of the largest shape from then on", async () => {
    const lane = await startLane({ lengthBuckets: [64], warmUp: { rows: 64, length: 64 } });
    expect(lane.tooLarge).toBeUndefined();
    expect(lane.state).toBe("ready");
    const cold = await startLane({ lengthBuckets: [64] });
    expect(lane.readyBytes).toBeGreaterThan(cold.readyBytes);
  });

  it("says at its start that the machine has no such device", async () => {
    await expect(startLane({ device: "cuda" })).rejects.toThrow(
      /cannot open it: .*Failed to load shared library|CUDA failure/,
    );
  });
});

describe("a lane whose CUDA context is broken", () => {
  it("is replaced at once, says why, and its batch is scored by the next", async () => {
    const { batcher, events } = await startPool(await fakeLane("breaks", 1e9, true));
    const work = pairs(100, 60);
    const outcomes = await batcher.score(work, "bulk", never);
    expect(outcomes.map((one) => one.status === "scored" && one.logit)).toEqual(
      work.map(({ ids }) => ids.length),
    );
    const died = events.filter(({ type }) => type === "died");
    expect(died).toMatchObject([
      { reason: "CUDA failure 700: an illegal memory access was encountered" },
    ]);
    const ready = events.filter((event) => event.type === "ready");
    expect(new Set(ready.map(({ pid }) => pid)).size, "another process").toBe(2);
  });
});

describe("a GPU whose memory runs out", () => {
  it("has batches halved and a lower budget until they fit, and loses no pair", async () => {
    const room = 1_024;
    const { batcher, plan, events } = await startPool(await fakeLane("small", room, false));
    const before = plan.memory.budget.capacityBytes;
    const work = pairs(300, 60);
    const outcomes = await batcher.score(work, "bulk", never);
    expect(outcomes.map((one) => one.status === "scored" && one.logit)).toEqual(
      work.map(({ ids }) => ids.length),
    );
    expect(plan.memory.budget.capacityBytes).toBeLessThan(before);
    expect(events.filter(({ type }) => type === "died")).toEqual([]);
  });

  it("refuses a pair that needs more than all that is left, and says what fits", async () => {
    const { batcher, plan } = await startPool(await fakeLane("tiny", 64, false), 1, {
      maxLength: { default: 32, highest: 512 },
    });
    const [small, large] = [randomPair(random, 30), randomPair(random, 500)];
    while (plan.memory.budget.lower() !== undefined);
    expect(await batcher.score([small, large], "bulk", never)).toMatchObject([
      { status: "scored", logit: 30 },
      {
        status: "failed",
        code: "pair_too_large",
        message: expect.stringMatching(
          /^a pair of 500 tokens does not fit the GPU's memory, which ran out before: \d+ tokens fit$/,
        ) as string,
      },
    ]);
  });

  it("gives up only the pair that never fits", async () => {
    const { batcher } = await startPool(await fakeLane("never", 64, false));
    const outcomes = await batcher.score(
      [randomPair(random, 100), randomPair(random, 20)],
      "bulk",
      never,
    );
    expect(outcomes).toMatchObject([
      { status: "failed", code: "pair_killed_lane" },
      { status: "scored", logit: 20 },
    ]);
  });

  it("is noticed when a lane is warmed up, before any work", async () => {
    const { plan, events } = await startPool(await fakeLane("warm", 512, false));
    const [ready] = events;
    expect(ready).toMatchObject({ type: "ready", tooLarge: warmUpOf(plan) });
    const { rows, length } = warmUpOf(plan);
    expect(plan.memory.budget.capacityBytes).toBeLessThan(
      quadraticAt(plan.memory.activation, rows, length),
    );
  });
});

describe("the plan for GPUs", () => {
  it("gives each lane the GPU of its turn", async () => {
    const { batcher, pool } = await startPool(await fakeLane("turns", 1e9, false), 2);
    await until("both lanes are ready", () => pool.lanes.length === 2);
    // Enough messages that no lane can have taken them all before the other asked.
    const outcomes = await batcher.score(pairs(4_000, 60), "bulk", never);
    const gpus = outcomes.map((one) => one.status === "scored" && Math.floor(one.logit / 1_000));
    expect(new Set(gpus)).toEqual(new Set([0, 1]));
  });

  it("is one lane per GPU, with batches that an operator can set", async () => {
    const { plan } = await startPool(await fakeLane("plan", 1e9, false), 3);
    expect(plan.lanes).toBe(3);
    expect(plan.limits).toMatchObject({ maxBatchTokens: 16_384, maxBatchSize: 64 });
    const asked = await startPool(await fakeLane("asked", 1e9, false), 1, {
      maxBatchTokens: 2_048,
    });
    expect(asked.plan.limits.maxBatchTokens).toBe(2_048);
    const { rows, length } = warmUpOf(asked.plan);
    expect(rows * length).toBeLessThanOrEqual(2_048);
  });
});

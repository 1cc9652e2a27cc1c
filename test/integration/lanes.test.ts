import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ActivationBudget } from "../../src/core/cost/activation-budget.js";
import {
  LanePool,
  type LaneEvent,
  type LanePoolOptions,
} from "../../src/inference/lanes/lane-pool.js";
import { LaneProcess } from "../../src/inference/lanes/lane-process.js";
import { BatchMemory } from "../../src/pipeline/batch/batch-memory.js";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../src/pipeline/batch/batcher.js";
import { laneOptions, randomPair } from "../support/lanes.js";
import { look } from "../support/processes.js";
import { SeededRandom } from "../support/random.js";
import { until } from "../support/until.js";

const never = new AbortController().signal;
const random = new SeededRandom(11);
let folder: string;
const started: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-lanes-"));
});
afterEach(async () => {
  for (const end of started.splice(0)) await end();
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function startLane(more: Parameters<typeof laneOptions>[2] = {}): Promise<LaneProcess> {
  const lane = await LaneProcess.start(0, laneOptions("bert", "model.onnx", more));
  started.push(() => lane.drain("the test is over"));
  return lane;
}

interface Started {
  readonly batcher: Batcher;
  readonly pool: LanePool;
  readonly events: LaneEvent[];
}

async function startPool(
  more: Partial<LanePoolOptions> = {},
  batcher = new Batcher(DEFAULT_BATCHER_OPTIONS),
): Promise<Started> {
  const events: LaneEvent[] = [];
  const options = { lanes: 1, onEvent: (event: LaneEvent) => void events.push(event) };
  const pool = new LanePool(batcher, { ...laneOptions("bert"), ...options, ...more });
  started.push(() => pool.close());
  await pool.start();
  return { batcher, pool, events };
}

/** A lane's entry that says it is ready and then does as `onRun` says. */
async function fakeEntry(name: string, onRun: string): Promise<string> {
  const path = join(folder, `${name}.mjs`);
  await writeFile(
    path,
    `process.on("message", (message) => {
       if (message.type === "open") process.send({ type: "ready", openMs: 1, residentBytes: 1 });
       else { ${onRun} }
     });
     process.on("disconnect", () => process.exit());`,
  );
  return path;
}

describe("a lane", () => {
  it("is ready once it has opened the model, busy with a message, and ready again", async () => {
    const lane = await startLane();
    expect(lane.state).toBe("ready");
    expect(lane.readyBytes).toBeGreaterThan(1_000_000);
    const answer = lane.score([[randomPair(random, 20)]]);
    expect(lane.state).toBe("busy");
    await answer;
    expect(lane.state).toBe("ready");
  });

  it("stays calibrating while it is measured", async () => {
    const lane = await startLane({ calibrating: true });
    expect(lane.state).toBe("calibrating");
    await lane.score([[randomPair(random, 20)]]);
    expect(lane.state).toBe("calibrating");
  });

  it("finishes the messages it has when it is drained, takes no more, and is dead then", async () => {
    const lane = await startLane();
    const answer = lane.score([[randomPair(random, 200)]]);
    const drained = lane.drain("no longer needed");
    expect(lane.state).toBe("draining");
    await expect(lane.score([[randomPair(random, 20)]])).rejects.toMatchObject({
      code: "lane_failed",
    });
    expect((await answer).flat()).toHaveLength(1);
    await drained;
    expect(lane.state).toBe("dead");
    expect(await lane.died).toBe("no longer needed");
    // Elsewhere than on Linux nothing is ever seen.
    expect(look(lane.pid)).toBeUndefined();
  });

  it("is killed if it hangs past its deadline, and its messages are rejected", async () => {
    const lane = await startLane({ deadlineMs: () => 200 });
    process.kill(lane.pid, "SIGSTOP");
    await expect(lane.score([[randomPair(random, 20)]])).rejects.toThrow(
      /hung: no answer in 200 ms/,
    );
    expect(lane.state).toBe("dead");
    expect(await lane.died).toBe("hung: no answer in 200 ms");
  });

  it("leaves nothing in the user's home", async () => {
    const home = join(folder, "home");
    const lane = await startLane({ env: { ...process.env, HOME: await mkdtemp(home) } });
    await lane.score([[randomPair(random, 20)]]);
    await lane.drain("done");
    const made = (await readdir(folder)).find((name) => name.startsWith("home"));
    expect(await readdir(join(folder, made ?? ""))).toEqual([]);
  });
});

describe("a pool of lanes", () => {
  it("replaces a lane that hangs, and its batch is scored all the same", async () => {
    let stopped = false;
    // The first process has a short deadline: it is stopped. The next ones have the usual one.
    const { batcher, pool, events } = await startPool({
      deadlineMs: () => (stopped ? 30_000 : 200),
    });
    const [lane] = pool.lanes;
    if (lane === undefined) throw new Error("the pool has no lane");
    process.kill(lane.pid, "SIGSTOP");
    const asked = batcher.score([randomPair(random, 20)], "bulk", never);
    await lane.died;
    stopped = true;
    expect((await asked)[0]?.status).toBe("scored");
    expect(events).toContainEqual(
      expect.objectContaining({ type: "died", reason: "hung: no answer in 200 ms" }),
    );
    expect(pool.health).toEqual({ status: "ok" });
  });

  it("replaces an idle lane that holds memory that others need", async () => {
    const budget = new ActivationBudget(100, 2);
    const memory = new BatchMemory({
      budget,
      kind: "shared",
      activation: { fixed: 0, perToken: 1, perSquare: 0 },
      ranOutOfMemory: async () => await Promise.resolve(false),
      onLowered: () => undefined,
    });
    const batcher = new Batcher(DEFAULT_BATCHER_OPTIONS, memory);
    const { pool, events } = await startPool({ lanes: 2 }, batcher);
    const lengths = [40, 45, 90, 30, 100, 50, 101];
    const asked = lengths.map((length) => randomPair(random, length));
    const outcomes = await batcher.score(asked, "bulk", never);
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 6 }, () => "scored"),
      "failed",
    ]);
    await until("a lane was replaced", () => events.some(({ type }) => type === "recycled"));
    expect(events.filter(({ type }) => type === "died")).toEqual([]);
    expect(pool.health).toEqual({ status: "ok" });
  });

  it("backs off if lanes crash again and again, and its health gives the reason", async () => {
    const entryPath = await fakeEntry("crash", 'process.stderr.write("boom"); process.exit(3);');
    const { batcher, pool, events } = await startPool({ entryPath });
    const pairs = [20, 30, 40].map((length) => randomPair(random, length));
    const asked = batcher.score(pairs, "bulk", never);
    await until("health is red", () => pool.health.status === "failed");
    expect(pool.health).toMatchObject({
      reason: expect.stringContaining("exit 3: boom") as string,
    });
    const backoffs = events.flatMap((event) =>
      event.type === "backing-off" ? [event.backoffMs] : [],
    );
    expect(backoffs.slice(0, 3)).toEqual([250, 500, 1_000]);
    void asked;
  });

  it("gives up if no process starts", async () => {
    const entryPath = join(folder, "unusable.mjs");
    await writeFile(
      entryPath,
      `process.on("message", () =>
         process.send({ type: "unusable", code: "model_unusable", message: "not this one" }));`,
    );
    await expect(startPool({ entryPath })).rejects.toMatchObject({ code: "model_unusable" });
  });
});

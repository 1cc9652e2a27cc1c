import { describe, expect, it } from "vitest";
import { ActivationBudget } from "../../../../src/core/cost/activation-budget.js";
import type { PairOutcome } from "../../../../src/core/pair.js";
import { BatchMemory } from "../../../../src/pipeline/batch/batch-memory.js";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../../../src/pipeline/batch/batcher.js";
import { ArenaLane } from "../../../support/fakes/arena-lane.js";
import { pairOf } from "../../../support/pairs.js";
import { turn } from "../../../support/turn.js";

const never = new AbortController().signal;
/** One byte per token of a batch: rows × length. */
const ACTIVATION = { fixed: 0, perToken: 1, perSquare: 0 };

interface Bench {
  readonly batcher: Batcher;
  readonly budget: ActivationBudget;
  readonly lowered: number[];
}

async function ranOutOfMemory(error: unknown): Promise<boolean> {
  await turn();
  return String(error).includes("bad_alloc");
}

function bench(capacity: number, lanes: number, rows = 1): Bench {
  const budget = new ActivationBudget(capacity, lanes, 10);
  const lowered: number[] = [];
  const limits = { maxBatchTokens: 1_000, maxBatchSize: rows, maxPaddingTokens: 0 };
  const batcher = new Batcher(
    { ...DEFAULT_BATCHER_OPTIONS, limits },
    new BatchMemory({
      budget,
      activation: ACTIVATION,
      kind: "shared",
      ranOutOfMemory,
      onLowered: (bytes) => lowered.push(bytes),
    }),
  );
  return { batcher, budget, lowered };
}

/** Keeps `lanes` slots filled, as a pool does, until `done`. */
async function pool(
  { batcher }: Bench,
  lanes: number,
  make: () => ArenaLane,
  done: Promise<unknown>,
): Promise<{ all: ArenaLane[]; most: () => number; reasons: string[] }> {
  const all: ArenaLane[] = [];
  const reasons: string[] = [];
  let most = 0;
  const stop = new AbortController();
  const keep = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const lane = make();
      all.push(lane);
      const serving = new AbortController();
      stop.signal.addEventListener("abort", () => serving.abort());
      void lane.died.then(() => serving.abort());
      const reason = await batcher.serve(lane, serving.signal).catch(() => "died");
      if (reason !== undefined) reasons.push(reason);
      most = Math.max(
        most,
        all.filter(({ alive }) => alive).reduce((sum, { held }) => sum + held, 0),
      );
      lane.die("ended");
      await turn();
    }
  };
  const kept = Array.from({ length: lanes }, keep);
  await done.finally(() => stop.abort());
  await Promise.all(kept);
  return { all, most: () => most, reasons };
}

function codes(outcomes: readonly PairOutcome[]): string[] {
  return outcomes.map((outcome) => (outcome.status === "scored" ? "scored" : outcome.code));
}

function driftedLane(): ArenaLane {
  const lane = new ArenaLane();
  lane.grownBytes = 100 * 1024 * 1024;
  return lane;
}

describe("a memory budget", () => {
  it("no batch is planned that a lane's share does not hold", async () => {
    const parts = bench(100, 2, 8);
    const asked = parts.batcher.score(
      Array.from({ length: 40 }, (_, i) => pairOf(i, 10)),
      "bulk",
      never,
    );
    const { all } = await pool(parts, 2, () => new ArenaLane(), asked);
    expect(codes(await asked)).toEqual(Array.from({ length: 40 }, () => "scored"));
    const rows = all.flatMap(({ batches }) => batches.map((batch) => batch.length));
    expect(Math.max(...rows)).toBe(5);
  });

  it("a long pair runs alone, the lanes never exceed the budget together, and all pairs are scored", async () => {
    const parts = bench(100, 2);
    const lengths = [30, 90, 40, 50, 80, 10, 100, 45, 50, 70, 5];
    const asked = parts.batcher.score(
      lengths.map((tokens, i) => pairOf(i, tokens)),
      "bulk",
      never,
    );
    const { most, reasons } = await pool(parts, 2, () => new ArenaLane(), asked);
    expect(codes(await asked)).toEqual(lengths.map(() => "scored"));
    expect(most()).toBeLessThanOrEqual(100);
    expect(reasons).toContain("it holds memory that other work needs");
  });

  it("a pair that needs more than the budget is refused with limit and value, the others are scored", async () => {
    const parts = bench(100, 2);
    const asked = parts.batcher.score([pairOf(1, 10), pairOf(2, 101)], "bulk", never);
    await pool(parts, 2, () => new ArenaLane(), asked);
    const [first, second] = await asked;
    expect(first).toMatchObject({ status: "scored", logit: 1 });
    expect(second).toMatchObject({ status: "failed", code: "pair_too_large" });
    const message = second?.status === "failed" ? second.message : "";
    expect(message).toMatch(/101 tokens takes 101 bytes, over the 100 .* 100 tokens fit/);
  });

  it("the budget is lowered if a lane runs out of it, and its pairs end all the same", async () => {
    const parts = bench(100, 1, 8);
    const asked = parts.batcher.score(
      [...Array.from({ length: 16 }, (_, i) => pairOf(i, 10)), pairOf(99, 60)],
      "bulk",
      never,
    );
    // The estimate says that 80 fit, but 55 do.
    await pool(parts, 1, () => new ArenaLane(55), asked);
    const outcomes = codes(await asked);
    expect(outcomes.slice(0, 16)).toEqual(Array.from({ length: 16 }, () => "scored"));
    expect(["pair_too_large", "pair_killed_lane"]).toContain(outcomes[16]);
    expect(parts.lowered[0]).toBe(80);
  });

  it("a lane that drifted is replaced", async () => {
    const parts = bench(1e9, 1);
    const asked = parts.batcher.score([pairOf(1), pairOf(2)], "bulk", never);
    const { reasons } = await pool(parts, 1, driftedLane, asked.then(turn));
    expect(reasons[0]).toMatch(/^it grew by 104857600 bytes, its work explains 1$/);
  });
});

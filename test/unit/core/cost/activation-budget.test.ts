import { describe, expect, it, vi } from "vitest";
import { ActivationBudget, type Grant } from "../../../../src/core/cost/activation-budget.js";
import { SeededRandom } from "../../../support/random.js";

const never = new AbortController().signal;
const nobody = (): void => undefined;

/** The outcome of a reservation so far. */
async function now(reserved: Promise<Grant>): Promise<Grant | "waiting"> {
  const waiting = new Promise<"waiting">((resolve) => setImmediate(resolve, "waiting"));
  return await Promise.race([reserved, waiting]);
}

describe("batches within a lane's share", () => {
  it("are granted at once, to all lanes", async () => {
    const budget = new ActivationBudget(100, 2);
    expect(await now(budget.reserve({}, 50, never, nobody))).toBe("granted");
    expect(await now(budget.reserve({}, 50, never, nobody))).toBe("granted");
  });

  it("leave the memory they took with the lane until it is gone", async () => {
    const budget = new ActivationBudget(100, 2);
    const lane = {};
    await budget.reserve(lane, 40, never, nobody);
    budget.finished(lane, 0);
    await budget.reserve(lane, 10, never, nobody);
    expect(budget.heldBytes(lane)).toBe(40);
    budget.forget(lane);
    expect(budget.heldBytes(lane)).toBe(0);
  });
});

describe("a batch larger than a share", () => {
  it("waits until the others have made room, and tells them to", async () => {
    const budget = new ActivationBudget(100, 2);
    const [small, large] = [{}, {}];
    await budget.reserve(small, 50, never, nobody);
    budget.finished(small, 0);
    expect(budget.mustShed(small)).toBe(false);
    const wake = vi.fn<() => void>();
    const reserved = budget.reserve(large, 80, never, wake);
    expect(await now(reserved)).toBe("waiting");
    expect(wake).toHaveBeenCalled();
    expect(budget.mustShed(small)).toBe(true);
    expect(await now(budget.reserve(small, 10, never, nobody))).toBe("recycle");
    budget.forget(small);
    expect(await now(reserved)).toBe("granted");
  });

  it("lets others go on beside it as far as there is room", async () => {
    const budget = new ActivationBudget(100, 2);
    const large = {};
    expect(await now(budget.reserve(large, 80, never, nobody))).toBe("granted");
    expect(await now(budget.reserve({}, 20, never, nobody))).toBe("granted");
    const late = budget.reserve({}, 20, never, nobody);
    expect(await now(late)).toBe("waiting");
    budget.finished(large, 0);
    expect(await now(late)).toBe("waiting");
    budget.forget(large);
    expect(await now(late)).toBe("granted");
  });

  it("leaves its lane over its share, to be replaced unless as large a batch follows", async () => {
    const budget = new ActivationBudget(100, 2);
    const lane = {};
    await budget.reserve(lane, 80, never, nobody);
    expect(budget.mustShed(lane)).toBe(false);
    budget.finished(lane, 0);
    expect(budget.mustShed(lane)).toBe(true);
    expect(await now(budget.reserve(lane, 75, never, nobody))).toBe("granted");
    budget.finished(lane, 0);
    expect(await now(budget.reserve(lane, 10, never, nobody))).toBe("recycle");
  });

  it("does not fit a lane that holds smaller blocks already", async () => {
    const budget = new ActivationBudget(100, 2);
    const lane = {};
    await budget.reserve(lane, 40, never, nobody);
    budget.finished(lane, 0);
    expect(await now(budget.reserve(lane, 80, never, nobody))).toBe("recycle");
    expect(await now(budget.reserve({}, 101, never, nobody))).toBe("refused");
  });

  it("gives up its request if its lane dies or is told to stop", async () => {
    const budget = new ActivationBudget(100, 2);
    const [holder, dying, next] = [{}, {}, {}];
    await budget.reserve(holder, 50, never, nobody);
    const claimed = budget.reserve(dying, 80, never, nobody);
    budget.forget(dying);
    expect(await now(claimed)).toBe("aborted");
    expect(await now(budget.reserve(next, 50, never, nobody))).toBe("granted");
    const stopping = new AbortController();
    budget.forget(next);
    const stopped = budget.reserve(next, 80, stopping.signal, nobody);
    stopping.abort();
    expect(await now(stopped)).toBe("aborted");
  });
});

describe("the budget", () => {
  it("is lowered by steps, not below the least, and then refuses what waited", async () => {
    const budget = new ActivationBudget(100, 1, 70);
    expect(budget.lower()).toBe(80);
    expect(await now(budget.reserve({}, 90, never, nobody))).toBe("refused");
    expect(budget.lower()).toBe(70);
    expect(budget.lower()).toBeUndefined();
    expect(new ActivationBudget(Infinity, 2).lower()).toBeUndefined();
  });

  it("notices a lane that grew by more than its batches explain", async () => {
    const budget = new ActivationBudget(1e9, 1);
    const lane = {};
    await budget.reserve(lane, 1e6, never, nobody);
    expect(budget.finished(lane, 10e6)).toBe(false);
    expect(budget.finished(lane, 100e6)).toBe(true);
  });

  it("has room beside for what a lane keeps of the lengths that it has met", async () => {
    const budget = new ActivationBudget(1e9, 1, 0, 100e6);
    const lane = {};
    await budget.reserve(lane, 1e6, never, nobody);
    expect(budget.finished(lane, 110e6)).toBe(false);
    expect(budget.finished(lane, 200e6)).toBe(true);
  });

  it("is never exceeded, and no batch waits for ever, whatever lanes do", async () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 30; round += 1) {
      const lanes = random.between(1, 4);
      const budget = new ActivationBudget(1_000, lanes);
      let held = new Map<object, number>();
      let runs = 0;
      const serve = async (): Promise<void> => {
        let lane = {};
        for (let job = 0; job < 40; job += 1) {
          const bytes = random.next() < 0.2 ? random.between(1, 1_000) : random.between(1, 200);
          for (;;) {
            while (budget.mustShed(lane)) lane = replace(lane);
            const grant = await budget.reserve(lane, bytes, never, () => undefined);
            if (grant === "granted") break;
            expect(grant).toBe("recycle");
            lane = replace(lane);
          }
          held = new Map(held).set(lane, Math.max(held.get(lane) ?? 0, bytes));
          expect([...held.values()].reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(1_000);
          await new Promise((resolve) => setImmediate(resolve));
          runs += 1;
          budget.finished(lane, 0);
        }
        replace(lane);
      };
      const replace = (lane: object): object => {
        held.delete(lane);
        budget.forget(lane);
        return {};
      };
      await Promise.all(Array.from({ length: lanes }, serve));
      expect(runs).toBe(lanes * 40);
    }
  });
});

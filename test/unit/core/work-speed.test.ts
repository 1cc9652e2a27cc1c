import { expect, it } from "vitest";
import { WorkSpeed } from "../../../src/core/work-speed.js";

function work(speed: WorkSpeed, pairs: number, tookMs: number): void {
  speed.observe({ type: "inferred", batches: [], tookMs });
  speed.observe({ type: "settled", outcome: "scored", pairs });
}

it("a speed is not known before the lanes were busy for most of a window", () => {
  const speed = new WorkSpeed();
  expect(speed.sample(0, 1)).toBeUndefined();
  work(speed, 10, 100);
  expect(speed.sample(1_000, 1)).toBeUndefined();
});

it("a speed is that of the busy part of a window, whatever the number of lanes", () => {
  const speed = new WorkSpeed();
  speed.sample(0, 2);
  work(speed, 60, 1_200);
  expect(speed.sample(1_000, 2)).toBe(100);
});

it("a speed is the best of the last windows, and an idle worker keeps it", () => {
  const speed = new WorkSpeed();
  speed.sample(0, 1);
  work(speed, 50, 1_000);
  speed.sample(1_000, 1);
  work(speed, 20, 5_000);
  expect([speed.sample(2_000, 1), speed.sample(90_000, 1)]).toEqual([50, 50]);
});

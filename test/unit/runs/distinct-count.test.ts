import { expect, it } from "vitest";
import { DistinctCount } from "../../../src/runs/distinct-count.js";

it("texts that come again are counted once, exactly as long as they are few", () => {
  const count = new DistinctCount();
  for (let i = 0; i < 30_000; i += 1) count.add(`text ${i % 1_000}`);
  expect(count.count).toBe(1_000);
});

it("very many texts are counted within two percent", () => {
  const count = new DistinctCount();
  for (let i = 0; i < 200_000; i += 1) count.add(`text ${i}`);
  expect(count.count / 200_000).toBeGreaterThan(0.98);
  expect(count.count / 200_000).toBeLessThan(1.02);
});

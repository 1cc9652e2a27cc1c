/** Everything that reads the files and keys of others, with 10,000 mutated ones. `npm run fuzz` runs more. */
import { expect, it } from "vitest";
import { runPlan } from "../fuzz/support/run-plan.js";
import { sharesOf } from "../fuzz/support/shares.js";

/** The same cases in every run: a test that fails must fail again. */
const SEED = 1;
const CASES = 10_000;

it("no mutated file or key makes a parser throw what is no refusal, lose an id, or take unbounded time or memory", async () => {
  const runs = await runPlan(sharesOf(undefined, CASES), SEED);
  expect(runs.flatMap(({ broken }) => broken)).toEqual([]);
  expect(runs.reduce((sum, { cases }) => sum + cases, 0)).toBeGreaterThanOrEqual(CASES);
  // Neither are all cases refused at the door, nor none.
  for (const { target, refused, cases } of runs) expect(refused, target).toBeLessThan(cases);
});

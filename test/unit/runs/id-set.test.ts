import { expect, it } from "vitest";
import { IdSet } from "../../../src/runs/id-set.js";

it("a set of ids takes each id once, also after it has grown", () => {
  const ids = new IdSet();
  const all = Array.from({ length: 5_000 }, (_, i) => `record ${i}`);
  expect(all.filter((id) => ids.add(id))).toHaveLength(all.length);
  expect(all.filter((id) => ids.add(id))).toEqual([]);
  expect(ids.add("")).toBe(true);
  expect(ids.add("")).toBe(false);
});

import { expect, it } from "vitest";
import { UnwrittenNumbers } from "../../../../../src/inference/runtime/openvino/unwritten-numbers.js";
import { saysOutOfMemory } from "../../../../../src/inference/runtime/out-of-memory.js";

it("Memory that a run has written is its result, NaN of the model's included.", () => {
  const numbers = new UnwrittenNumbers([3, 2]);
  numbers.memory.set([1, 2, 3, Number.NaN, Infinity, -0]);
  expect([...numbers.written()]).toEqual([1, 2, 3, Number.NaN, Infinity, -0]);
});

it.each([0, 1, 5])("Memory of which %i of 6 numbers were written is no result.", (written) => {
  const numbers = new UnwrittenNumbers([3, 2]);
  numbers.memory.fill(0.5, 0, written);
  let said = "";
  try {
    numbers.written();
  } catch (error) {
    said = String(error);
  }
  expect(saysOutOfMemory(said)).toBe(true);
});

import { describe, expect, it } from "vitest";
import { parseFromLane } from "../../../src/inference/lanes/lane-answers.js";
import { parseToLane } from "../../../src/inference/lanes/lane-protocol.js";

describe("a message from a lane", () => {
  const done = { type: "done", seq: 1, scoreMs: 2, residentBytes: 3 };

  it("is taken if a lane of this version says it", () => {
    const message = { ...done, logits: [Float32Array.of(0.5)] };
    expect(parseFromLane(message)).toEqual(message);
  });

  it.each([
    { ...done, logits: [[0.5]] },
    { ...done, logits: undefined },
    { type: "unusable", code: "usage", message: "of another version" },
    { type: "gone" },
    "done",
    null,
  ])("is refused if no lane says it: %j", (message) => {
    expect(parseFromLane(message)).toBeUndefined();
  });
});

describe("a message to a lane", () => {
  it("is refused unless it opens a model or brings batches", () => {
    const score = { type: "score", seq: 1, batches: [] };
    expect(parseToLane(score)).toBe(score);
    for (const other of [null, "score", { type: "score" }, { type: "open" }, { type: "end" }]) {
      expect(parseToLane(other)).toBeUndefined();
    }
  });
});

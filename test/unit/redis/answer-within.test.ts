import { describe, expect, it } from "vitest";
import { answerWithin } from "../../../src/redis/answer-within.js";

describe("what Redis answers at a start", () => {
  it("an answer in time is given on, and so is a refusal", async () => {
    expect(await answerWithin(Promise.resolve("there"), 10_000, "nothing is known")).toBe("there");
    const refused = answerWithin(Promise.reject(new Error("no")), 10_000, "nothing is known");
    await expect(refused).rejects.toThrow("no");
  });

  it("a Redis that never answers ends the start with a reason", async () => {
    const silent = answerWithin(new Promise(() => {}), 1, "the queues are not open");
    await expect(silent).rejects.toMatchObject({
      code: "redis_unavailable",
      message: "Redis has not answered for 0 s: the queues are not open",
    });
  });
});

import { describe, expect, it } from "vitest";
import { ObservedSpeed } from "../../../../src/app/gateway/observed-speed.js";

describe("the observed speed of a queue", () => {
  it("is not known before a request has waited", () => {
    expect(new ObservedSpeed().pairsPerSecond).toBeUndefined();
  });

  it("is that of the pairs that went before a request, and its own, in its wait", () => {
    const speed = new ObservedSpeed();
    speed.note(1_000, 10_000);
    expect(speed.pairsPerSecond).toBe(100);
  });

  it("follows later waits, a part of the way each", () => {
    const speed = new ObservedSpeed();
    speed.note(1_000, 10_000);
    speed.note(500, 10_000);
    expect(speed.pairsPerSecond).toBeGreaterThan(50);
    expect(speed.pairsPerSecond).toBeLessThan(100);
    for (let i = 0; i < 50; i += 1) speed.note(500, 10_000);
    expect(speed.pairsPerSecond).toBeCloseTo(50, 1);
  });

  it("is not told by waits so short that they say nothing of the workers", () => {
    const speed = new ObservedSpeed();
    speed.note(1_000, 20);
    expect(speed.pairsPerSecond).toBeUndefined();
  });
});

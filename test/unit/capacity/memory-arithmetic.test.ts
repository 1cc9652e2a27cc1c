import { describe, expect, it } from "vitest";
import { fitActivation, longestWithin } from "../../../src/core/cost/activation-fit.js";
import { deadlineMs, UNMEASURED_TIMING } from "../../../src/core/cost/lane-cost.js";
import {
  marginBytes,
  planMemory,
  tokenCacheBytes,
  type MemoryNeeds,
} from "../../../src/capacity/memory-plan.js";
import { fitQuadratic, quadraticAt, type ShapeSample } from "../../../src/core/cost/quadratic.js";

const MIB = 1024 * 1024;

function samplesOf(
  cost: { fixed: number; perToken: number; perSquare: number },
  shapes: readonly (readonly [number, number])[],
): ShapeSample[] {
  return shapes.map(([rows, length]) => ({ rows, length, value: quadraticAt(cost, rows, length) }));
}

const SHAPES = [
  [1, 16],
  [1, 64],
  [4, 64],
  [1, 256],
  [1, 512],
] as const;

describe("a cost by shape", () => {
  it("is found again from samples of itself", () => {
    const cost = { fixed: 5e6, perToken: 20_000, perSquare: 130 };
    const fitted = fitQuadratic(samplesOf(cost, SHAPES));
    expect(fitted.perSquare).toBeCloseTo(cost.perSquare, 3);
    expect(fitted.perToken / cost.perToken).toBeCloseTo(1, 6);
    expect(fitted.fixed / cost.fixed).toBeCloseTo(1, 6);
  });

  it("never falls with length, however the samples lie", () => {
    const noisy = [3, 2, 9, 1, 4].map((value, i) => ({ rows: 1, length: 2 ** (i + 4), value }));
    const fitted = fitQuadratic(noisy);
    expect(Math.min(fitted.fixed, fitted.perToken, fitted.perSquare)).toBeGreaterThanOrEqual(0);
  });

  it("is nothing if nothing was measured", () => {
    expect(fitQuadratic([])).toEqual({ fixed: 0, perToken: 0, perSquare: 0 });
  });
});

describe("the bytes of a batch", () => {
  // Growth of a lane with bge-reranker-v2-m3's shape in int8, as measured; 2,048 is held back.
  const measured = [
    { rows: 1, length: 128, value: 7 * MIB },
    { rows: 1, length: 256, value: 15 * MIB },
    { rows: 1, length: 512, value: 48 * MIB },
  ];

  it("are no less than any sample", () => {
    const activation = fitActivation(measured);
    for (const { rows, length, value } of measured) {
      expect(quadraticAt(activation, rows, length)).toBeGreaterThanOrEqual(value);
    }
  });

  it("bound a shape four times as long as the longest sample", () => {
    expect(quadraticAt(fitActivation(measured), 1, 2_048)).toBeGreaterThan(590 * MIB);
  });

  it("tell how long a pair may be", () => {
    const activation = fitActivation(measured);
    const longest = longestWithin(activation, 1024 * MIB);
    expect(quadraticAt(activation, 1, longest)).toBeLessThanOrEqual(1024 * MIB);
    expect(quadraticAt(activation, 1, longest + 1)).toBeGreaterThan(1024 * MIB);
    expect(longestWithin(activation, 0)).toBe(0);
  });
});

describe("a memory limit", () => {
  const needs: MemoryNeeds = {
    limitBytes: 2048 * MIB,
    baseBytes: 300 * MIB,
    payload: { least: 48 * MIB, wanted: 48 * MIB, most: 768 * MIB },
    sharedBytes: 0,
    lane: { readyBytes: 150 * MIB, openPeakBytes: 200 * MIB },
    wantedLanes: 4,
    leastActivationBytes: 60 * MIB,
  };

  it("is divided so that its parts never exceed it", () => {
    for (const limit of [620, 700, 900, 1200, 2048, 4096, 65_536]) {
      const plan = planMemory({ ...needs, limitBytes: limit * MIB });
      if (plan.status !== "fits") throw new Error(`${limit} MiB should fit`);
      const { lanes, payloadBytes, activationBytes } = plan;
      const lanesBytes = lanes * needs.lane.readyBytes;
      const sum = needs.baseBytes + payloadBytes + activationBytes + lanesBytes;
      expect(sum).toBeLessThanOrEqual(limit * MIB - marginBytes(limit * MIB));
      expect(activationBytes / lanes).toBeGreaterThanOrEqual(needs.leastActivationBytes);
      expect(payloadBytes).toBeGreaterThanOrEqual(needs.payload.least);
    }
  });

  it("holds fewer lanes if copies of the weights do not fit", () => {
    const tight = planMemory({ ...needs, limitBytes: 900 * MIB });
    expect(tight).toMatchObject({ status: "fits", lanes: 1 });
    const shared = { readyBytes: 40 * MIB, openPeakBytes: 45 * MIB };
    const mapped = { ...needs, limitBytes: 900 * MIB, sharedBytes: 110 * MIB, lane: shared };
    expect(planMemory(mapped)).toMatchObject({ status: "fits", lanes: 2 });
    expect(planMemory(needs)).toMatchObject({ status: "fits", lanes: 4 });
  });

  it("holds a request of the wanted size before a second lane, and one lane before such a request", () => {
    const wanted = { least: 48 * MIB, wanted: 200 * MIB, most: 768 * MIB };
    const plenty = planMemory({ ...needs, limitBytes: 900 * MIB, payload: wanted });
    expect(plenty).toMatchObject({ status: "fits", lanes: 1, payloadBytes: 200 * MIB });
    const tight = planMemory({ ...needs, limitBytes: 700 * MIB, payload: wanted });
    if (tight.status !== "fits") throw new Error("700 MiB should fit");
    expect(tight.lanes).toBe(1);
    expect(tight.payloadBytes).toBeGreaterThanOrEqual(48 * MIB);
    expect(tight.payloadBytes).toBeLessThan(200 * MIB);
  });

  it("is refused if it is too small, with a limit that is just enough", () => {
    const plan = planMemory({ ...needs, limitBytes: 400 * MIB });
    if (plan.status !== "too-small") throw new Error("400 MiB cannot fit");
    const enough = plan.neededBytes;
    expect(planMemory({ ...needs, limitBytes: enough }).status).toBe("fits");
    expect(planMemory({ ...needs, limitBytes: enough - 2 * MIB }).status).toBe("too-small");
  });
});

describe("the memory of remembered tokens", () => {
  it("is what was asked for, and at most an eighth of what is spare", () => {
    expect(tokenCacheBytes(32 * MIB, 1024 * MIB)).toBe(32 * MIB);
    expect(tokenCacheBytes(32 * MIB, 80 * MIB)).toBe(10 * MIB);
    expect(tokenCacheBytes(0, 1024 * MIB)).toBe(0);
    expect(tokenCacheBytes(32 * MIB, -5 * MIB)).toBe(0);
  });
});

describe("a deadline", () => {
  it("grows with the message and never falls below half a minute", () => {
    const timing = { fixed: 1, perToken: 1, perSquare: 0.001 };
    expect(deadlineMs(timing, [{ rows: 1, length: 16 }])).toBe(30_000);
    const long = deadlineMs(timing, [{ rows: 1, length: 8_192 }]);
    expect(long).toBeGreaterThan(30_000);
    const three = Array.from({ length: 3 }, () => ({ rows: 1, length: 8_192 }));
    expect(deadlineMs(timing, three)).toBeGreaterThan(2.9 * long);
  });

  it("leaves a slow core an hour for 8,192 tokens if the model was never measured", () => {
    expect(deadlineMs(UNMEASURED_TIMING, [{ rows: 1, length: 8_192 }])).toBeGreaterThan(3_600_000);
  });
});

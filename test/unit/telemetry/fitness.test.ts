import { describe, expect, it } from "vitest";
import {
  REDIS_SILENT_MS,
  STUCK_MS,
  unfitReason,
  type Vitals,
} from "../../../src/telemetry/fitness.js";

const NOW_MS = 1_000_000;
const WELL: Vitals = {
  nowMs: NOW_MS,
  redisAnsweredAtMs: NOW_MS,
  lanes: 2,
  partHealth: { status: "ok" },
  held: 3,
  waiting: 10,
  progressAtMs: NOW_MS,
};

function afterSilenceOf(ms: number): string | undefined {
  return unfitReason({ ...WELL, redisAnsweredAtMs: NOW_MS - ms });
}

describe("a worker that is judged", () => {
  it("is of use while Redis answers, lanes work and jobs make progress", () => {
    expect(unfitReason(WELL)).toBeUndefined();
  });

  it("may miss Redis for a short time, and not for a long one", () => {
    expect(afterSilenceOf(REDIS_SILENT_MS)).toBeUndefined();
    expect(afterSilenceOf(REDIS_SILENT_MS + 1_000)).toBe("Redis has not answered for 11 s");
  });

  it("is of no use while all its lanes die again and again, and the reason is told", () => {
    const partHealth = { status: "failed", reason: "exit 1" } as const;
    expect(unfitReason({ ...WELL, partHealth })).toBe("exit 1");
    expect(unfitReason({ ...WELL, partHealth: { ...partHealth, status: "degraded" } })).toBe(
      undefined,
    );
  });

  it("is of no use without a lane, busy or not", () => {
    expect(unfitReason({ ...WELL, lanes: 0 })).toBe("no lane is at work");
    expect(unfitReason({ ...WELL, lanes: 0, held: 0, waiting: 0 })).toBe("no lane is at work");
  });

  it.each([
    ["jobs in hand", { held: 1, waiting: 0 }],
    ["jobs that wait", { held: 0, waiting: 1 }],
  ])("is of no use if %s make no progress for longer than any batch takes", (_, work) => {
    const stuck = (ms: number) => unfitReason({ ...WELL, ...work, progressAtMs: NOW_MS - ms });
    expect(stuck(STUCK_MS)).toBeUndefined();
    expect(stuck(STUCK_MS + 1_000)).toContain("no progress for 181 s");
  });

  it("may do nothing for as long as there is nothing to do", () => {
    const idle = { ...WELL, held: 0, waiting: 0, progressAtMs: 0 };
    expect(unfitReason(idle)).toBeUndefined();
  });
});

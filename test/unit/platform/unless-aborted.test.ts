import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { pause, unlessAborted, within } from "../../../src/platform/unless-aborted.js";

const never = new Promise<never>(() => {});
const open = new AbortController().signal;
const reason = new Error("stopped");

describe("unlessAborted", () => {
  it("gives the result of a promise that settles before the abort", async () => {
    expect(await unlessAborted(Promise.resolve(1), open)).toBe(1);
    await expect(unlessAborted(Promise.reject(new Error("own")), open)).rejects.toThrow("own");
  });

  it("throws the signal's reason for a promise that never settles", async () => {
    await expect(unlessAborted(never, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = unlessAborted(never, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it("lets a promise that settles within the grace time win over the abort", async () => {
    const soon = new Promise<number>((resolve) => setImmediate(resolve, 1));
    expect(await unlessAborted(soon, AbortSignal.abort(reason), 60_000)).toBe(1);
    await expect(unlessAborted(never, AbortSignal.abort(reason), 1)).rejects.toBe(reason);
  });

  it("leaves no listener behind on a signal that outlives it", async () => {
    const controller = new AbortController();
    for (let i = 0; i < 100; i += 1) await unlessAborted(Promise.resolve(), controller.signal);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });
});

describe("pause", () => {
  it("ends with the time, or with the signal", async () => {
    expect(await pause(1, open)).toBeUndefined();
    expect(await pause(60_000, AbortSignal.abort())).toBeUndefined();
  });
});

describe("within", () => {
  it("tells whether a promise was fulfilled in time", async () => {
    expect(await within(Promise.resolve(), 60_000)).toBe(true);
    expect(await within(Promise.reject(new Error("no")), 60_000)).toBe(false);
    expect(await within(never, 1)).toBe(false);
  });
});

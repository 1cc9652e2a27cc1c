import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { waitAtMost } from "../../../src/platform/wait-at-most.js";

const NEVER = new Promise<never>(() => undefined);
/** Longer than any test may take. */
const LONG_MS = 3_600_000;

/** Posts a message, and then says in memory that it did. */
const POSTER = `
const { parentPort, workerData } = require("node:worker_threads");
parentPort.once("message", () => {
  parentPort.postMessage("answer");
  Atomics.store(workerData, 0, 1);
  Atomics.notify(workerData, 0);
});
parentPort.postMessage("ready");
`;

function sharedInt(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

describe("a wait with a bound", () => {
  it("gives the value of a promise that settles in time", async () => {
    await expect(waitAtMost(Promise.resolve(7), LONG_MS)).resolves.toEqual({
      status: "settled",
      value: 7,
    });
  });

  it("is over when the bound is reached", async () => {
    await expect(waitAtMost(NEVER, 1)).resolves.toEqual({ status: "late" });
  });

  it("rejects as the promise does, and hears nothing of a rejection that comes later", async () => {
    await expect(waitAtMost(Promise.reject(new Error("no")), LONG_MS)).rejects.toThrow("no");
    const end = new AbortController();
    const slow = new Promise<never>((_, fail) => {
      end.signal.addEventListener("abort", () => fail(new Error("too late")));
    });
    await expect(waitAtMost(slow, 1)).resolves.toEqual({ status: "late" });
    // An unhandled rejection would fail the whole file.
    end.abort();
    await new Promise((resolve) => setImmediate(resolve));
  });

  it("takes an answer that arrived while this thread was too busy to read it", async () => {
    const posted = sharedInt();
    const worker = new Worker(POSTER, { eval: true, workerData: posted });
    try {
      await once(worker, "message");
      const answer = once(worker, "message");
      // From here the event loop comes to its timers before it comes to messages.
      await nextTurn();
      const waited = waitAtMost(answer, 1);
      worker.postMessage("ask");
      Atomics.wait(posted, 0, 0);
      Atomics.wait(sharedInt(), 0, 0, 5);
      await expect(waited).resolves.toEqual({ status: "settled", value: ["answer"] });
    } finally {
      await worker.terminate();
    }
  });
});

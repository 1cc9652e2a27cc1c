import { describe, expect, it } from "vitest";
import { ReplicaWatch } from "../../../src/redis/replica-watch.js";

const READONLY = new Error("READONLY You can't write against a read only replica. script: 1f");

describe("a watch for a Redis that became a replica", () => {
  it("tells what to do once writes have been refused for ten seconds, and not for a failover", async () => {
    let nowMs = 0;
    const watch = new ReplicaWatch(() => nowMs);
    let told = "";
    void watch.stays.then(({ message }) => (told = message));
    const hear = async (atMs: number, error = READONLY): Promise<string> => {
      nowMs = atMs;
      watch.heard(error);
      await Promise.resolve();
      return told;
    };
    expect(await hear(0)).toBe("");
    expect(await hear(9_000)).toBe("");
    // Another failover.
    expect(await hear(60_000)).toBe("");
    expect(await hear(69_000)).toBe("");
    expect(await hear(75_000, new Error("OOM command not allowed"))).toBe("");
    expect(await hear(76_000)).toMatch(/it is a replica.*address of the primary.*run again/);
  });
});

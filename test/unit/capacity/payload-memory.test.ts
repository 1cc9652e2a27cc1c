import { describe, expect, it, vi } from "vitest";
import { PAYLOAD_MEMORY_FACTOR, PayloadMemory } from "../../../src/capacity/payload-memory.js";

const MB = 1e6;

describe("memory for requests", () => {
  it("is held by the weight of a request in memory, never beyond the pool", async () => {
    const pool = new PayloadMemory(100 * MB, () => undefined);
    let held = 0;
    let most = 0;
    const jobs = Array.from({ length: 64 }, async () => {
      const release = await pool.acquire(5 * MB);
      held += 5 * MB * PAYLOAD_MEMORY_FACTOR;
      most = Math.max(most, held);
      await new Promise((resolve) => setImmediate(resolve));
      held -= 5 * MB * PAYLOAD_MEMORY_FACTOR;
      release();
    });
    await Promise.all(jobs);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(100 * MB);
    expect(pool.heldBytes).toBe(0);
  });

  it("is collected before requests and what ended ones left exceed the pool", async () => {
    const collect = vi.fn<() => void>();
    const pool = new PayloadMemory(100 * MB, collect);
    for (let job = 0; job < 2; job += 1) (await pool.acquire(5 * MB))();
    expect(collect).not.toHaveBeenCalled();
    (await pool.acquire(5 * MB))();
    expect(collect).toHaveBeenCalledOnce();
  });

  it("is not collected for small requests, which die young", async () => {
    const collect = vi.fn<() => void>();
    const pool = new PayloadMemory(1 * MB, collect);
    for (let job = 0; job < 1_000; job += 1) (await pool.acquire(10_000))();
    expect(collect).not.toHaveBeenCalled();
  });
});

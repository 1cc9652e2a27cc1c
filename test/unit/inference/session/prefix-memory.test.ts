import { describe, expect, it } from "vitest";
import { PrefixMemory, type PrefixPlace } from "../../../../src/inference/session/prefix-memory.js";
import { SeededRandom } from "../../../support/random.js";

const CAPACITY_BYTES = 1_024;

/** Fills a place with one number, and keeps it. */
function write(value: number, bytes: number): (place: PrefixPlace) => Promise<Uint8Array> {
  return ({ buffer, byteOffset }) => {
    const place = new Uint8Array(buffer, byteOffset, bytes);
    place.fill(value);
    return Promise.resolve(place);
  };
}

describe("the memory of prefixes", () => {
  it("keeps each prefix whole until another takes its place, and never more than its bound", async () => {
    const random = new SeededRandom(3);
    const memory = new PrefixMemory<Uint8Array>(CAPACITY_BYTES);
    const sizes = new Map<string, number>();
    for (let step = 0; step < 500; step += 1) {
      const key = String(random.between(0, 99));
      const bytes = sizes.get(key) ?? random.between(1, CAPACITY_BYTES / 2);
      sizes.set(key, bytes);
      if (memory.find(key) === undefined) {
        await memory.fill(key, bytes, write(Number(key), bytes));
      }
      let held = 0;
      for (const [other, size] of sizes) {
        const kept = memory.find(other);
        if (kept === undefined) continue;
        held += size;
        expect(kept).toHaveLength(size);
        expect(new Set(kept)).toEqual(new Set([Number(other)]));
      }
      expect(held).toBeLessThanOrEqual(memory.usedBytes);
      expect(memory.usedBytes).toBeLessThanOrEqual(CAPACITY_BYTES);
    }
  });

  it("keeps the newest prefixes that fit", async () => {
    const memory = new PrefixMemory<Uint8Array>(CAPACITY_BYTES);
    const bytes = CAPACITY_BYTES / 4;
    for (const key of ["a", "b", "c", "d", "e"]) await memory.fill(key, bytes, write(1, bytes));
    const held = ["a", "b", "c", "d", "e"].filter((key) => memory.find(key) !== undefined);
    expect(held).toEqual(["b", "c", "d", "e"]);
  });

  it("gives a prefix that is larger than all of it a place of its own, and does not keep it", async () => {
    const memory = new PrefixMemory<Uint8Array>(CAPACITY_BYTES);
    await memory.fill("small", 8, write(1, 8));
    const large = CAPACITY_BYTES + 1;
    expect(await memory.fill("large", large, write(2, large))).toHaveLength(large);
    expect(memory.find("large")).toBeUndefined();
    expect(memory.find("small")).toHaveLength(8);
    expect(memory.usedBytes).toBe(8);
  });

  it("keeps nothing of a prefix that could not be computed", async () => {
    const memory = new PrefixMemory<Uint8Array>(CAPACITY_BYTES);
    const failing = memory.fill("a", 8, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(memory.find("a")).toBeUndefined();
  });
});

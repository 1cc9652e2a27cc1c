/** The rules of every key store. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccessKey } from "../../src/core/access-key.js";
import type { KeyStore } from "../../src/core/ports/key-store.js";

export interface KeyPlace {
  readonly store: KeyStore;
  /** Another process's view of the same place. */
  again(): Promise<KeyStore>;
  close(): Promise<void>;
}

/** @param second of its creation: keys are listed by it */
export function keyNamed(id: string, second = 0): AccessKey {
  return {
    id,
    hash: "0".repeat(64),
    name: `the key ${id}`,
    scopes: ["rerank", "read"],
    limits: { requestsPerMinute: 60, highestPriority: "bulk" },
    createdAt: new Date(second * 1_000).toISOString(),
    expiresAt: new Date(9_000_000).toISOString(),
  };
}

export function testKeyStore(name: string, open: () => Promise<KeyPlace>): void {
  describe(`a key store ${name}`, () => {
    let place: KeyPlace;
    let store: KeyStore;

    beforeEach(async () => {
      place = await open();
      store = place.store;
    });

    afterEach(async () => {
      await place.close();
    });

    it("gives a key back as it was added, to other processes too", async () => {
      const key = keyNamed("one");
      await store.add(key);
      expect(await store.find("one")).toEqual(key);
      const other = await place.again();
      expect(await other.find("one")).toEqual(key);
      expect(await other.find("two")).toBeUndefined();
    });

    it("lists keys, the oldest first", async () => {
      for (const [second, id] of ["b", "a", "c"].entries()) await store.add(keyNamed(id, second));
      expect((await store.list()).map(({ id }) => id)).toEqual(["b", "a", "c"]);
    });

    it("adds no key under an id that is taken", async () => {
      await store.add(keyNamed("one"));
      const other = { ...keyNamed("one"), hash: "f".repeat(64) };
      await expect(store.add(other)).rejects.toMatchObject({ code: "conflict" });
      expect((await store.find("one"))?.hash).toBe("0".repeat(64));
    });

    it("forgets a key that is removed, also where it was read before", async () => {
      await store.add(keyNamed("one"));
      await store.add(keyNamed("two"));
      const other = await place.again();
      expect(await other.find("one")).toBeDefined();
      expect(await store.remove("one")).toBe(true);
      expect(await store.remove("one")).toBe(false);
      expect(await other.find("one")).toBeUndefined();
      expect((await other.list()).map(({ id }) => id)).toEqual(["two"]);
    });
  });
}

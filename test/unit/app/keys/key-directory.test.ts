import { describe, expect, it } from "vitest";
import type { AccessKey } from "../../../../src/core/access-key.js";
import { KeyDirectory } from "../../../../src/app/keys/key-directory.js";
import { makeKey } from "../../../../src/app/keys/new-key.js";
import { makeToken } from "../../../../src/app/keys/token.js";
import { MemoryKeyStore } from "../../../support/fakes/memory-key-store.js";

const DAY_MS = 86_400_000;

async function opened(expiresInDays?: number) {
  const clock = { ms: Date.now() };
  const store = new MemoryKeyStore();
  const wishes = {
    name: "a user",
    scopes: ["rerank"],
    limits: { highestPriority: "bulk" },
    expiresInDays,
  } as const;
  const { key, token } = makeKey(wishes, clock.ms);
  await store.add(key);
  const directory = new KeyDirectory(store, undefined, () => clock.ms);
  return { clock, store, key, token, directory };
}

function idOf(key: AccessKey | undefined): string | undefined {
  return key?.id;
}

describe("the directory of keys", () => {
  it("finds the key of a token, and none for a token that differs in its secret", async () => {
    const { key, token, directory } = await opened();
    expect(idOf(await directory.find(token))).toBe(key.id);
    const forged = makeToken().token.replace(/^rk_[a-z0-9]{12}/, `rk_${key.id}`);
    expect(await directory.find(forged)).toBeUndefined();
    expect(await directory.find("x".repeat(10_000))).toBeUndefined();
    expect(await directory.find("")).toBeUndefined();
  });

  it("asks the store once in two seconds, for many requests at once too", async () => {
    const { clock, store, token, directory } = await opened();
    await Promise.all(Array.from({ length: 50 }, () => directory.find(token)));
    clock.ms += 1_999;
    await directory.find(token);
    expect(store.asked).toBe(1);
    clock.ms += 1;
    await directory.find(token);
    expect(store.asked).toBe(2);
  });

  it("refuses a revoked key two seconds later, however often it came meanwhile", async () => {
    const { clock, store, key, token, directory } = await opened();
    expect(await directory.find(token)).toBeDefined();
    await store.remove(key.id);
    for (let i = 0; i < 4; i += 1) {
      clock.ms += 499;
      expect(await directory.find(token)).toBeDefined();
    }
    clock.ms += 4;
    expect(await directory.find(token)).toBeUndefined();
    expect(directory.knows(token)).toBe(false);
  });

  it("refuses a key from the moment at which it expires", async () => {
    const { clock, token, directory } = await opened(1);
    clock.ms += DAY_MS - 1;
    expect(await directory.find(token)).toBeDefined();
    clock.ms += 1;
    expect(await directory.find(token)).toBeUndefined();
  });

  it("remembers a thousand tokens and no wrong one", async () => {
    const { store, key, token, directory } = await opened();
    const others = Array.from({ length: 1_001 }, () => makeToken());
    for (const { id, hash, token: other } of others) {
      await store.add({ ...key, id, hash });
      await directory.find(other);
    }
    expect(directory.knows(others[0]?.token ?? "")).toBe(false);
    expect(others.slice(1).every((one) => directory.knows(one.token))).toBe(true);
    await directory.find(makeToken().token);
    expect(directory.knows(token)).toBe(false);
    expect(directory.knows(others[1]?.token ?? "")).toBe(true);
  });

  it("says that the store is away, and asks again for the next request", async () => {
    const { store, token, directory } = await opened();
    store.answers = new Promise(() => {});
    await expect(directory.find(token)).rejects.toMatchObject({ code: "redis_unavailable" });
    store.answers = Promise.resolve();
    expect(await directory.find(token)).toBeDefined();
  });

  it("lets in the token of the environment, which must be long", async () => {
    const token = "0123456789abcdef0123456789abcdef";
    const directory = new KeyDirectory(undefined, token);
    expect(await directory.hasKeys()).toBe(true);
    expect(idOf(await directory.find(token))).toBe("environment");
    expect(await directory.find(`${token.slice(0, -1)}0`)).toBeUndefined();
    expect(() => new KeyDirectory(undefined, "short")).toThrow("RANKMILL_API_KEY");
    expect(await new KeyDirectory(undefined, "").hasKeys()).toBe(false);
  });
});

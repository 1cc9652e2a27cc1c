import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KeyLimitCounts } from "../../src/redis/key-limits.js";
import { redisKinds, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const HOUR_MS = 3_600_000;

describe.each(redisKinds)("the limits of a key on %s", (kind) => {
  let server: TestRedis;
  let one: KeyLimitCounts;
  let other: KeyLimitCounts;

  beforeAll(async () => {
    server = await TestRedis.start({ kind });
    one = new KeyLimitCounts(server.client());
    other = new KeyLimitCounts(server.client());
  });

  beforeEach(async () => {
    await server.client().flushall();
  });

  afterAll(async () => {
    await server.close();
  });

  it("are held by two gateways together", async () => {
    const waits = await Promise.all(
      [one, other, one, other, one].map((counts) => counts.admit("a", 4)),
    );
    expect(waits.filter((ms) => ms === 0)).toHaveLength(4);
    const refused = waits.find((ms) => ms > 0);
    // The bucket gives one back in a quarter of a minute.
    expect(refused).toBeGreaterThan(10_000);
    expect(refused).toBeLessThanOrEqual(15_000);
    expect(await one.admit("b", 4)).toBe(0);
  });

  it("let a request come again after the wait that they name", async () => {
    const fast = 600;
    const flood = Array.from({ length: fast }, () => one.admit("a", fast));
    await Promise.all(flood);
    await until("a request is let in", async () => (await one.admit("a", fast)) === 0);
  });

  it("count pairs in flight, which a holder keeps however often it asks", async () => {
    const pairs = { count: 60, most: 100 };
    expect(await one.hold("a", "first", pairs, HOUR_MS)).toBeUndefined();
    expect(await other.hold("a", "first", pairs, HOUR_MS)).toBeUndefined();
    expect(await other.hold("a", "second", pairs, HOUR_MS)).toBe(60);
    expect(await other.hold("b", "second", pairs, HOUR_MS)).toBeUndefined();
    expect(await one.holders("a", 10)).toEqual(["first"]);
    await one.letGo("a", ["first"]);
    await one.letGo("a", ["first", "never"]);
    expect(await other.hold("a", "second", pairs, HOUR_MS)).toBeUndefined();
  });

  it("let go what was held too long", async () => {
    const pairs = { count: 60, most: 100 };
    expect(await one.hold("a", "dead", pairs, 30)).toBeUndefined();
    await one.hold("a", "alive", { count: 1, most: 100 }, HOUR_MS);
    await until(
      "the dead holder's pairs are free",
      async () => (await one.hold("a", "next", pairs, HOUR_MS)) === undefined,
    );
    expect((await one.holders("a", 10)).sort()).toEqual(["alive", "next"]);
  });

  it("leave no key behind that lives for ever, and none once all is let go", async () => {
    const redis = server.client();
    await one.admit("a", 10);
    await one.hold("a", "first", { count: 5, most: 100 }, HOUR_MS);
    for (const key of await redis.keys("*")) expect(await redis.pttl(key)).toBeGreaterThan(0);
    await one.letGo("a", ["first"]);
    expect(await redis.keys("*")).toEqual(["rankmill:{key:a}:rate"]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { OnceStore } from "../../src/redis/once-store.js";
import { redisKinds, TestRedis } from "../support/redis-server.js";

async function begun(store: OnceStore, key = "a") {
  const start = await store.begin(key, "name", "what");
  if (start.status !== "begun") throw new Error(`it is ${start.status}`);
  return start.turn;
}

describe.each(redisKinds)("requests that are done once, on %s", (kind) => {
  let server: TestRedis;
  let one: OnceStore;
  let other: OnceStore;

  beforeAll(async () => {
    server = await TestRedis.start({ kind });
    one = new OnceStore(server.client());
    other = new OnceStore(server.client());
  });

  beforeEach(async () => {
    await server.client().flushall();
  });

  afterAll(async () => {
    await server.close();
  });

  it("are done by one of two gateways, and answered by both", async () => {
    const turn = await begun(one);
    expect(await other.begin("a", "name", "what")).toEqual({ status: "busy" });
    await turn.finish("the answer");
    const answered = { status: "answered", fingerprint: "what", answer: "the answer" };
    expect(await other.begin("a", "name", "else")).toEqual(answered);
  });

  it("belong to their key", async () => {
    const turn = await begun(one, "a");
    expect(await other.begin("b", "name", "what")).toMatchObject({ status: "begun" });
    await turn.abandon();
  });

  it("may be tried again if they failed, and leave no key that lives for ever", async () => {
    const redis = server.client();
    const first = await begun(one);
    for (const key of await redis.keys("*")) expect(await redis.pttl(key)).toBeGreaterThan(0);
    await first.abandon();
    expect(await redis.keys("*")).toEqual([]);
    const second = await begun(other);
    // A gateway that was taken for dead takes nothing from the next.
    await first.abandon();
    expect(await one.begin("a", "name", "what")).toEqual({ status: "busy" });
    await second.finish("done");
    for (const key of await redis.keys("*")) expect(await redis.pttl(key)).toBeGreaterThan(0);
  });
});

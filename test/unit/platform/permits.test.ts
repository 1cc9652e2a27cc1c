import { describe, expect, it } from "vitest";
import { Permits } from "../../../src/platform/permits.js";

/** Lets everything that can go on go on. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Asks for permits and notes in `log` when they are given. */
function ask(permits: Permits, weight: number, name: string, log: string[]): Promise<() => void> {
  return permits.acquire(weight).then((release) => {
    log.push(name);
    return release;
  });
}

describe("permits", () => {
  it("are given while there are any, then in order of asking", async () => {
    const permits = new Permits(10);
    const log: string[] = [];
    const first = await ask(permits, 6, "a", log);
    const second = ask(permits, 5, "b", log);
    const third = ask(permits, 1, "c", log);
    await settle();
    // c would fit, but must not overtake b for ever.
    expect(log).toEqual(["a"]);
    expect([permits.held, permits.waiting]).toEqual([6, 2]);
    first();
    await settle();
    expect(log).toEqual(["a", "b", "c"]);
    expect([permits.held, permits.waiting]).toEqual([6, 0]);
    (await second)();
    (await third)();
    expect(permits.held).toBe(0);
  });

  it("let in alone what is larger than all of them", async () => {
    const permits = new Permits(10);
    const log: string[] = [];
    const small = await ask(permits, 1, "small", log);
    const giant = ask(permits, 1_000, "giant", log);
    await settle();
    expect(log).toEqual(["small"]);
    small();
    const release = await giant;
    expect(permits.held).toBe(10);
    const next = ask(permits, 1, "next", log);
    await settle();
    expect(log).toEqual(["small", "giant"]);
    release();
    (await next)();
    expect(permits.held).toBe(0);
  });

  it("count a release once", async () => {
    const permits = new Permits(10);
    const release = await permits.acquire(4);
    await permits.acquire(3);
    release();
    release();
    expect(permits.held).toBe(3);
  });

  it("are not waited for past an abort, and those behind move up", async () => {
    const permits = new Permits(10);
    const log: string[] = [];
    await ask(permits, 6, "a", log);
    const controller = new AbortController();
    const waiting = permits.acquire(10, controller.signal);
    const behind = ask(permits, 4, "c", log);
    await settle();
    expect(log).toEqual(["a"]);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await behind;
    expect([permits.held, permits.waiting]).toEqual([10, 0]);
    await expect(permits.acquire(1, AbortSignal.abort(new Error("late")))).rejects.toThrow("late");
  });

  it("stay given if the abort comes after they were given", async () => {
    const permits = new Permits(2);
    const controller = new AbortController();
    const first = await permits.acquire(2);
    const second = permits.acquire(2, controller.signal);
    first();
    const release = await second;
    controller.abort();
    expect(permits.held).toBe(2);
    release();
    expect(permits.held).toBe(0);
  });
});

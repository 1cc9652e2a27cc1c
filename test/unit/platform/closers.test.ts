import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Closers } from "../../../src/platform/closers.js";

const never = new Promise<void>(() => {});

/** Closers of the named resources, and the order in which they were closed. */
function opened(...names: readonly string[]): { closers: Closers; closed: string[] } {
  const closers = new Closers();
  const closed: string[] = [];
  for (const name of names) closers.use(name, name, (resource) => closed.push(resource));
  return { closers, closed };
}

describe("Closers", () => {
  it("closes in reverse order, each resource once its successor is closed", async () => {
    const { closers, closed } = opened("first", "second");
    closers.use("third", "third", async (resource) => {
      await sleep(5);
      closed.push(resource);
    });
    expect(await closers.closeAll()).toEqual([]);
    expect(closed).toEqual(["third", "second", "first"]);
  });

  it("hands the resource back to its caller", () => {
    const resource = {};
    expect(new Closers().use("it", resource, () => {})).toBe(resource);
  });

  it("closes the others if one throws, rejects or hangs, and names each of these", async () => {
    const { closers, closed } = opened("first");
    closers.use("throws", 0, () => {
      throw new Error("thrown");
    });
    closers.use("rejects", 0, () => Promise.reject(new Error("rejected")));
    closers.use("hangs", 0, () => never, 10);
    const problems = await closers.closeAll();
    expect(closed).toEqual(["first"]);
    expect(problems.map(({ name, error }) => `${name}: ${String(error)}`)).toEqual([
      "hangs: Error: not closed within 10 ms",
      "rejects: Error: rejected",
      "throws: Error: thrown",
    ]);
  });

  it("closes everything once, however often it is asked", async () => {
    const { closers, closed } = opened("only");
    await Promise.all([closers.closeAll(), closers.closeAll()]);
    await closers.closeAll();
    expect(closed).toEqual(["only"]);
  });

  it("closes at once what arrives after the end, and stops whoever brings it", async () => {
    const { closers, closed } = opened();
    await closers.closeAll();
    expect(() => closers.use("late", "late", (resource) => closed.push(resource))).toThrow(
      "late: opened after the end",
    );
    expect(closed).toEqual(["late"]);
  });
});

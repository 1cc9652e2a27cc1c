import { describe, expect, it } from "vitest";
import { Permits } from "../../../src/platform/permits.js";

describe("permits", () => {
  it.each([Number.NaN, -1])(
    "refuse a weight of %s, and go on to hold the bound",
    async (weight) => {
      const permits = new Permits(10);
      await expect(permits.acquire(weight)).rejects.toThrow("permits");
      const release = await permits.acquire(10);
      let entered = false;
      const waiting = permits.acquire(1).then((give) => {
        entered = true;
        return give;
      });
      await Promise.resolve();
      expect([permits.held, permits.waiting, entered]).toEqual([10, 1, false]);
      release();
      (await waiting)();
      expect(permits.held).toBe(0);
    },
  );
});

import { describe, expect, it } from "vitest";
import { GuessLimit } from "../../../src/platform/guess-limit.js";

const HERE = "192.0.2.1";

function guessing() {
  const clock = { ms: 0 };
  const limit = new GuessLimit(() => clock.ms);
  const guess = (times: number, address = HERE): void => {
    for (let i = 0; i < times; i += 1) limit.wrong(address);
  };
  return { clock, limit, guess };
}

describe("the limit of guesses", () => {
  it("lets people mistype, then asks for pauses that double up to ten seconds", () => {
    const { clock, limit, guess } = guessing();
    guess(4);
    expect(limit.pauseMs(HERE)).toBe(0);
    const pauses = Array.from({ length: 6 }, () => {
      guess(1);
      return limit.pauseMs(HERE);
    });
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    clock.ms += 10_000;
    expect(limit.pauseMs(HERE)).toBe(0);
  });

  it("holds for one address, and for a whole network of IPv6", () => {
    const { limit, guess } = guessing();
    guess(10);
    expect(limit.pauseMs("192.0.2.2")).toBe(0);
    guess(10, "2001:db8:1:2::1");
    expect(limit.pauseMs("2001:db8:1:2:ffff::9")).toBeGreaterThan(0);
    expect(limit.pauseMs("2001:db8:1:3::1")).toBe(0);
  });

  it("ends with the right password, and with ten quiet minutes", () => {
    const { clock, limit, guess } = guessing();
    guess(10);
    limit.right(HERE);
    expect(limit.pauseMs(HERE)).toBe(0);
    guess(10);
    clock.ms += 600_001;
    guess(1);
    expect(limit.pauseMs(HERE)).toBe(0);
  });

  it("is worth a line in the log at the 1st, 2nd, 4th, 8th … wrong password alone", () => {
    const { limit } = guessing();
    const told = Array.from({ length: 1_000 }, () => limit.wrong(HERE));
    expect(told.filter((wrong) => wrong !== undefined)).toEqual([
      1, 2, 4, 8, 16, 32, 64, 128, 256, 512,
    ]);
  });

  it("remembers a bounded number of addresses", () => {
    const { limit, guess } = guessing();
    guess(10);
    for (let i = 0; i < 1_000; i += 1) guess(1, `198.51.100.${i}`);
    expect(limit.pauseMs(HERE)).toBe(0);
  });
});

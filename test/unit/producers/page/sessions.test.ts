import { describe, expect, it } from "vitest";
import { SESSION_SECONDS, Sessions } from "../../../../producers/page/sessions.js";

describe("the sessions of browsers", () => {
  it("end after their time, when they are closed, and when there are too many", () => {
    let nowMs = 0;
    const sessions = new Sessions<string>(() => nowMs);
    const first = sessions.open("first");
    const second = sessions.open("second");
    expect(first).not.toBe(second);
    expect([sessions.find(first), sessions.find(second)]).toEqual(["first", "second"]);
    sessions.close(second);
    expect(sessions.find(second)).toBeUndefined();
    nowMs = SESSION_SECONDS * 1_000 - 1;
    expect(sessions.find(first)).toBe("first");
    nowMs += 1;
    expect(sessions.find(first)).toBeUndefined();
    const oldest = sessions.open("oldest");
    for (let i = 0; i < 1_000; i += 1) sessions.open("more");
    expect(sessions.find(oldest)).toBeUndefined();
  });

  it("are nobody's whose token is made up, long or missing", () => {
    const sessions = new Sessions<true>(Date.now);
    sessions.open(true);
    for (const token of [undefined, "", "made-up", "x".repeat(100_000)]) {
      expect(sessions.find(token)).toBeUndefined();
    }
  });

  it("have a token for forms each, which no other session and no other process accepts", () => {
    const sessions = new Sessions<true>(Date.now);
    const [one, other] = [sessions.open(true), sessions.open(true)];
    const form = sessions.formToken(one);
    expect(sessions.isFormToken(form, one)).toBe(true);
    expect(sessions.isFormToken(form, other)).toBe(false);
    expect(sessions.isFormToken(form, undefined)).toBe(false);
    expect(new Sessions<true>(Date.now).isFormToken(form, one)).toBe(false);
    for (const given of [undefined, "", one, {}]) {
      expect(sessions.isFormToken(given, one)).toBe(false);
    }
  });
});

import { describe, expect, it } from "vitest";
import { hashOf, idInToken, isTokenOf, makeToken } from "../../../../src/app/keys/token.js";

describe("a token", () => {
  it("holds a public id and 256 bits, and no two are equal", () => {
    const tokens = Array.from({ length: 100 }, makeToken);
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(100);
    for (const { id, token, hash } of tokens) {
      expect(token).toMatch(/^rk_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/);
      expect(idInToken(token)).toBe(id);
      expect(hashOf(token)).toBe(hash);
    }
  });

  it("belongs to its own hash alone, down to the last character", () => {
    const { token, hash } = makeToken();
    expect(isTokenOf(token, hash)).toBe(true);
    const other = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
    expect(isTokenOf(other, hash)).toBe(false);
    expect(isTokenOf(token, hash.slice(2))).toBe(false);
  });

  it("of another form has no id", () => {
    const { token } = makeToken();
    const others = ["", "rk_", `${token}x`, ` ${token}`, token.toUpperCase(), "sk-1234"];
    expect(others.map(idInToken)).toEqual(others.map(() => undefined));
  });
});

import { describe, expect, it } from "vitest";
import { checkExposure, isLoopback, judge } from "../../../producers/dashboard/access.js";

const PASSWORD = "correct: horse";
const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

function codeOf(
  headers: Readonly<Record<string, string>>,
  { method = "GET", password = PASSWORD, allowActions = false } = {},
): number {
  const header = (name: string): string | undefined => headers[name];
  const access = judge({ method, header }, { password, allowActions });
  return access.status === "allowed" ? 200 : access.code;
}

const withoutPassword = (host: string): number => codeOf({ host }, { password: "" });

const act = (headers: Readonly<Record<string, string>>): number =>
  codeOf(
    { authorization: basic(`a:${PASSWORD}`), host: "mill:9465", ...headers },
    { method: "PUT", allowActions: true },
  );

describe("access to the dashboard", () => {
  it("needs the password if there is one, whatever the user is called", () => {
    for (const user of ["", "admin", "ü"]) {
      expect(codeOf({ authorization: basic(`${user}:${PASSWORD}`) })).toBe(200);
    }
    const wrong = [
      basic(`admin:${PASSWORD} `),
      basic("admin:"),
      basic(PASSWORD),
      basic(""),
      `Bearer ${PASSWORD}`,
      `Basic ${PASSWORD}`,
      "Basic",
      basic(`admin:${PASSWORD}${"x".repeat(5_000)}`),
    ];
    for (const authorization of wrong) expect(codeOf({ authorization })).toBe(401);
    expect(codeOf({})).toBe(401);
  });

  it("is open without a password to those who ask for this host by its own name", () => {
    for (const host of ["localhost:9465", "127.0.0.1:9465", "[::1]:9465", "localhost"]) {
      expect(withoutPassword(host)).toBe(200);
    }
    for (const host of ["evil.example:9465", "127.0.0.1.evil.example", "", "localhost@evil"]) {
      expect(withoutPassword(host)).toBe(403);
    }
  });

  it("allows reading only, unless actions are allowed", () => {
    const authorization = basic(`a:${PASSWORD}`);
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      expect(codeOf({ authorization }, { method })).toBe(405);
      expect(codeOf({ authorization }, { method, allowActions: true })).toBe(200);
    }
    expect(codeOf({ authorization }, { method: "HEAD" })).toBe(200);
  });

  it("takes no action that another site's page asks for", () => {
    expect(act({ origin: "http://mill:9465", "sec-fetch-site": "same-origin" })).toBe(200);
    expect(act({ origin: "http://evil.example" })).toBe(403);
    expect(act({ origin: "null" })).toBe(403);
    expect(act({ "sec-fetch-site": "cross-site" })).toBe(403);
  });

  it("is never open to others without a password", () => {
    for (const host of ["0.0.0.0", "::", "192.168.1.7", "mill.example"]) {
      expect(isLoopback(host)).toBe(false);
      expect(() => checkExposure(host, undefined)).toThrow("RANKMILL_DASHBOARD_PASSWORD");
      expect(() => checkExposure(host, "")).toThrow("RANKMILL_DASHBOARD_PASSWORD");
      expect(() => checkExposure(host, "x")).not.toThrow();
    }
    for (const host of ["127.0.0.1", "::1", "localhost"]) {
      expect(() => checkExposure(host, undefined)).not.toThrow();
    }
  });
});

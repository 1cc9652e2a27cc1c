import { describe, expect, it } from "vitest";
import { clusterAddress } from "../../../src/redis/cluster-address.js";
import { redactTarget, userOf } from "../../../src/redis/redis-address.js";

describe("the address of a cluster", () => {
  it("names nodes, with ports and without, and a login that is percent-encoded", () => {
    const address = clusterAddress(
      "redis+cluster://mill:p%40ss@one:7000,two,[::1]:7002/",
      undefined,
    );
    expect(address).toEqual({
      nodes: [
        { host: "one", port: 7000 },
        { host: "two", port: 6379 },
        { host: "::1", port: 7002 },
      ],
      options: { username: "mill", password: "p@ss" },
    });
  });

  it("asks for TLS by its scheme, with the certificates that were given", () => {
    const tls = { ca: "-----BEGIN" };
    expect(clusterAddress("rediss+cluster://one", tls).options).toEqual({ tls });
    expect(clusterAddress("rediss+cluster://one", undefined).options).toEqual({ tls: {} });
  });

  it.each([
    ["redis+cluster://one:7000/3", /names a database/],
    ["redis+cluster://one:7000?password=x", /has a query/],
    ["redis+cluster://one:x", /no host:port/],
    ["redis+cluster://", /does not name nodes/],
    ["redis+cluster://user:p@ss@one:7000", /does not name nodes/],
  ])("%s is refused, and no password is shown", (url, why) => {
    const made = (): unknown => clusterAddress(url, undefined);
    expect(made).toThrow(why);
    expect(made).not.toThrow(/p@ss/);
  });

  it("is shown without its login, and its user can be told", () => {
    const url = "redis+cluster://mill:secret@one:7000,two:7001";
    expect(redactTarget({ url })).toBe("redis+cluster://one:7000,two:7001");
    expect(userOf(url)).toBe("mill");
    expect(redactTarget({ url: "redis+cluster://mill:sec@ret@one:7000" })).not.toContain("ret");
  });
});

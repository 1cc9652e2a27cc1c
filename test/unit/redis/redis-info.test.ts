import { describe, expect, it } from "vitest";
import {
  compareVersions,
  describeRedis,
  type RedisDescription,
  redisWarnings,
} from "../../../src/redis/redis-info.js";

const redis7 = [
  "# Server",
  "redis_version:7.0.15",
  "redis_mode:standalone",
  "os:Linux 6.1.0 x86_64",
  "multiplexing_api:epoll",
  "",
  "# Memory",
  "used_memory:1048576",
  "used_memory_human:1.00M",
  "maxmemory:0",
  "maxmemory_policy:noeviction",
  "",
  "# Persistence",
  "aof_enabled:1",
  "",
].join("\r\n");

function codes(description: RedisDescription): string[] {
  return redisWarnings(description).map(({ code }) => code);
}

describe("the description of a server by its INFO", () => {
  it("takes a figure with more digits than a number holds for none", () => {
    const info = `maxmemory:${"9".repeat(400)}\nused_memory:9007199254740993\n`;
    expect(describeRedis(info)).toMatchObject({ maxmemoryBytes: 0, usedMemoryBytes: 0 });
  });

  it("tells Redis with its policy, append-only file and memory", () => {
    expect(describeRedis(redis7)).toEqual({
      server: "redis",
      version: "7.0.15",
      redisVersion: "7.0.15",
      maxmemoryPolicy: "noeviction",
      maxmemoryBytes: 0,
      aofEnabled: true,
      usedMemoryBytes: 1_048_576,
    });
  });

  it("tells Valkey by its own version, whatever version of Redis it plays", () => {
    const info = `${redis7.replace("7.0.15", "7.2.4")}server_name:valkey\r\nvalkey_version:8.1.0\r\n`;
    expect(describeRedis(info)).toMatchObject({
      server: "valkey",
      version: "8.1.0",
      redisVersion: "7.2.4",
    });
  });

  it("tells Dragonfly and js-redis-server from Redis", () => {
    expect(describeRedis("redis_version:7.4.0\ndragonfly_version:df-v1.30.1\n")).toMatchObject({
      server: "dragonfly",
      version: "1.30.1",
    });
    expect(describeRedis("redis_version:8.0.0\nmultiplexing_api:mock\n")).toMatchObject({
      server: "js-redis-server",
      maxmemoryPolicy: undefined,
      aofEnabled: false,
    });
  });

  it("makes do with a reply that says nothing", () => {
    expect(describeRedis("")).toMatchObject({
      server: "redis",
      version: "0.0.0",
      usedMemoryBytes: 0,
    });
  });
});

describe("the warnings about a server", () => {
  it("are none for one that is set up well", () => {
    expect(redisWarnings(describeRedis(redis7))).toEqual([]);
  });

  it("name an eviction policy", () => {
    const [warning] = redisWarnings(describeRedis(redis7.replace("noeviction", "allkeys-lru")));
    expect(warning?.code).toBe("eviction");
    expect(warning?.message).toContain("allkeys-lru");
  });

  it("name a version below 6.2, compared by number and not by letter", () => {
    expect(codes(describeRedis(redis7.replace("7.0.15", "6.0.16")))).toEqual(["old_version"]);
    expect(codes(describeRedis(redis7.replace("7.0.15", "10.0.0")))).toEqual([]);
  });

  it("leave out js-redis-server's missing file, which its note tells already", () => {
    expect(codes(describeRedis("redis_version:8.0.0\nmultiplexing_api:mock\n"))).toEqual([]);
    expect(codes(describeRedis(redis7.replace("aof_enabled:1", "aof_enabled:0")))).toEqual([
      "no_append_only_file",
    ]);
  });

  it("name memory that is nearly full only if there is a limit", () => {
    const limited = redis7.replace("maxmemory:0", "maxmemory:1100000");
    expect(codes(describeRedis(limited))).toEqual(["memory_nearly_full"]);
    expect(codes(describeRedis(redis7.replace("maxmemory:0", "maxmemory:2200000")))).toEqual([]);
  });
});

describe("the comparison of versions", () => {
  it.each([
    ["6.2.0", "6.2", 0],
    ["6.10.0", "6.9.9", 1],
    ["7", "6.2.14", 1],
    ["5.0.14", "6.0.0", -1],
  ])("compares %s with %s", (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
  });
});

import type { Check } from "../check.js";
import { ok, problem } from "../finding.js";

/** The address is that of a server that takes writes and holds all keys. */
export const redisMode: Check = {
  name: "redis-mode",
  needs: "redis",
  run: async ({ info }) => {
    const mode = info.get("redis_mode") ?? "standalone";
    const role = info.get("role") ?? "master";
    if (mode === "sentinel") {
      return [problem("this address is a Sentinel's", "give the address of the master it names")];
    }
    if (mode === "cluster" || info.get("cluster_enabled") === "1") {
      return [
        problem("this server is part of a cluster", "give a server of its own; see docs/redis.md"),
      ];
    }
    if (role !== "master") {
      const master = `${info.get("master_host") ?? "?"}:${info.get("master_port") ?? "?"}`;
      return [problem(`this server is a replica of ${master}`, `give the address of ${master}`)];
    }
    return await Promise.resolve([ok(`${mode}, takes writes`)]);
  },
};

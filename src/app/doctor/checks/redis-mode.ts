import { isCluster } from "../../../redis/redis-client.js";
import type { Check } from "../check.js";
import { ok, problem } from "../finding.js";

/** The address is that of servers that take writes and hold all keys. */
export const redisMode: Check = {
  name: "redis-mode",
  needs: "redis",
  run: async ({ redis, servers: [first, ...others] }) => {
    if (isCluster(redis)) {
      return [ok(`cluster of ${others.length + 1} masters, takes writes`)];
    }
    const info = first?.info ?? new Map<string, string>();
    const mode = info.get("redis_mode") ?? "standalone";
    const role = info.get("role") ?? "master";
    if (mode === "sentinel") {
      return [problem("this address is a Sentinel's", "give the address of the master it names")];
    }
    if (role !== "master") {
      const master = `${info.get("master_host") ?? "?"}:${info.get("master_port") ?? "?"}`;
      return [problem(`this server is a replica of ${master}`, `give the address of ${master}`)];
    }
    return await Promise.resolve([ok(`${mode}, takes writes`)]);
  },
};

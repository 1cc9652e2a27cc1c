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
    if (mode === "sentinel") {
      return [problem("this address is a Sentinel's", "give the address of the master it names")];
    }
    return await Promise.resolve([ok(`${mode}, takes writes`)]);
  },
};

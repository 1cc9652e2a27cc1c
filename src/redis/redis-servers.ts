import type { Redis } from "ioredis";
import { isCluster, type RedisClient } from "./redis-client.js";

/** A server that holds keys. */
export interface RedisServer {
  /** `host:port` of a master of a cluster; undefined if there is one server alone. */
  readonly address: string | undefined;
  readonly redis: Redis;
}

/** The server, or each master of a cluster that is known at present. */
export function serversOf(redis: RedisClient): RedisServer[] {
  if (!isCluster(redis)) return [{ address: undefined, redis }];
  return redis.nodes("master").map((node) => ({
    address: `${node.options.host ?? ""}:${node.options.port ?? ""}`,
    redis: node,
  }));
}

/**
 * Asks every server that holds keys for a sign of life: a cluster of which one master is silent is
 * silent for the models and runs that lie there.
 *
 * @throws Error if one of them cannot be reached
 */
export async function pingAll(redis: RedisClient): Promise<void> {
  const servers = serversOf(redis);
  if (isCluster(redis)) {
    const known = new Set(servers.map(({ address }) => address));
    const away = redis.slots.map(([master]) => master).find((master) => !known.has(master));
    if (away !== undefined || known.size === 0) {
      throw new Error(`no connection to ${away ?? "any node of the cluster"}`);
    }
  }
  await Promise.all(servers.map(({ redis: server }) => server.ping()));
}

import type { FaultKind } from "../fault.js";

const MAXMEMORY_BYTES = 1_000_000;

export const REDIS_FAULTS = {
  /** Away for a while, then back with its append-only file. */
  "kill-redis": {
    lasts: [0.2, 4],
    part: "redis",
    strike: async ({ server }) => {
      await server.kill();
      return { victim: "redis", heal: async () => await server.startAgain() };
    },
  },
  "stop-redis": {
    lasts: [3, 12],
    part: "redis",
    strike: async ({ server }) => {
      server.freeze();
      return await Promise.resolve({ victim: "redis", heal: () => server.thaw() });
    },
  },
  "client-kill": {
    part: "redis",
    strike: async ({ redis }) => {
      // The own connection last: it must hear the answers.
      await redis.client("KILL", "TYPE", "pubsub", "SKIPME", "yes");
      const killed = await redis.client("KILL", "TYPE", "normal", "SKIPME", "yes");
      return { victim: `${String(killed)} connections` };
    },
  },
  "client-pause": {
    lasts: [2, 6],
    part: "redis",
    strike: async ({ redis }, { seconds }) => {
      await redis.client("PAUSE", Math.round(seconds * 1_000), "ALL");
      return { victim: "all clients", heal: () => undefined };
    },
  },
  maxmemory: {
    lasts: [2, 10],
    part: "redis",
    strike: async ({ redis }) => {
      await redis.config("SET", "maxmemory", MAXMEMORY_BYTES);
      const heal = async (): Promise<void> => void (await redis.config("SET", "maxmemory", 0));
      return { victim: "redis", heal };
    },
  },
  "debug-sleep": {
    lasts: [1, 4],
    part: "redis",
    strike: async ({ redis }, { seconds }) => {
      // It answers once it has slept.
      redis.call("DEBUG", "SLEEP", seconds.toFixed(1)).catch(() => undefined);
      return await Promise.resolve({ victim: "redis", heal: () => undefined });
    },
  },
} as const satisfies Record<string, FaultKind>;

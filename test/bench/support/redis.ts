import { join } from "node:path";
import process from "node:process";
import {
  startPrivateRedis,
  type PrivateRedis,
} from "../../../src/redis/private-server/private-redis.js";
import { DIST } from "./places.js";
import { say } from "./print.js";

/** A server of the bench's own, with an append-only file as in production. */
export async function startRedis(kind: "redis-server" | "js"): Promise<PrivateRedis> {
  return await startPrivateRedis({
    kind,
    guardianPath: join(DIST, "workers/redis-guardian.js"),
    searchPath: process.env["PATH"] ?? "",
    onWarning: (line) => {
      if (kind !== "js") say(line);
    },
  });
}

export function urlOf(redis: PrivateRedis): string {
  return `unix://${redis.connection.path}`;
}

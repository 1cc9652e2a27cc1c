import type { Check } from "../check.js";
import { note, ok, problem } from "../finding.js";

/** The server throws no jobs away when its memory is full. */
export const redisPolicy: Check = {
  name: "redis-policy",
  needs: "server",
  run: async ({ description: { maxmemoryPolicy } }) => {
    if (maxmemoryPolicy === undefined) {
      return [
        note(
          "the server does not say what it does when its memory is full",
          "make sure that it refuses writes (noeviction) and evicts nothing",
        ),
      ];
    }
    if (maxmemoryPolicy !== "noeviction") {
      return [
        problem(
          `maxmemory-policy is ${maxmemoryPolicy}: a full server throws jobs away`,
          "CONFIG SET maxmemory-policy noeviction, and the same in redis.conf",
        ),
      ];
    }
    return await Promise.resolve([ok("noeviction: a full server refuses, and loses nothing")]);
  },
};

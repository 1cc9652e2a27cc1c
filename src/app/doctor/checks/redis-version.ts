import {
  ADVISED_REDIS_VERSION,
  compareVersions,
  LEAST_REDIS_VERSION,
} from "../../../redis/redis-info.js";
import type { Check } from "../check.js";
import { note, ok, problem, warning } from "../finding.js";

/** The queue's commands are there, and the server is one that tests run on. */
export const redisVersion: Check = {
  name: "redis-version",
  needs: "server",
  run: async ({ description: { server, version, redisVersion: speaks } }) => {
    const name = `${server} ${version}`;
    if (compareVersions(speaks, LEAST_REDIS_VERSION) < 0) {
      return [
        problem(`${name} is too old`, `install Redis or Valkey ${LEAST_REDIS_VERSION} or newer`),
      ];
    }
    if (compareVersions(speaks, ADVISED_REDIS_VERSION) < 0) {
      return [
        warning(
          `${name} is old: the queue falls back to slower commands`,
          `install Redis or Valkey ${ADVISED_REDIS_VERSION} or newer`,
        ),
      ];
    }
    if (server === "js-redis-server") {
      return [
        note(
          `${name} keeps everything in memory and is slow`,
          "install Redis or Valkey for real work",
        ),
      ];
    }
    return await Promise.resolve([ok(name)]);
  },
};

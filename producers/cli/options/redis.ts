import {
  DEFAULT_IN_FLIGHT_BOUNDS,
  type InFlightBounds,
} from "../../../src/core/in-flight-bounds.js";
import { pick, type GroupValues, type OptionGroup } from "./option-spec.js";

/** The Redis that a command works with, and the share of it that a run may take. */
export const REDIS = {
  title: "Redis",
  options: {
    redisUrl: {
      flags: "--redis-url <url>",
      env: "REDIS_URL",
      type: "text",
      description:
        "address of Redis or Valkey: redis://, rediss://, unix://, redis+sentinel://host:port,…/name or redis+cluster://host:port,…",
    },
    redisCa: {
      flags: "--redis-ca <file>",
      env: "RANKMILL_REDIS_CA",
      type: "text",
      description: "certificate of the authority that signed the server's, as PEM, with rediss://",
    },
    redisCert: {
      flags: "--redis-cert <file>",
      env: "RANKMILL_REDIS_CERT",
      type: "text",
      description: "certificate of the client, as PEM, if the server asks for one",
    },
    redisKey: {
      flags: "--redis-key <file>",
      env: "RANKMILL_REDIS_KEY",
      type: "text",
      description: "private key of --redis-cert, as PEM",
    },
    inFlightJobs: {
      flags: "--in-flight-jobs <n>",
      env: "RANKMILL_IN_FLIGHT_JOBS",
      type: "integer",
      min: 1,
      default: DEFAULT_IN_FLIGHT_BOUNDS.maxJobs,
      unit: "jobs",
      description: "most jobs of a run in Redis at once; their number follows the workers' speed",
    },
    inFlightBytes: {
      flags: "--in-flight-bytes <n>",
      env: "RANKMILL_IN_FLIGHT_BYTES",
      type: "integer",
      min: 1,
      default: DEFAULT_IN_FLIGHT_BOUNDS.maxBytes,
      unit: "bytes",
      description: "most bytes of a run's requests in Redis at once",
    },
  },
} as const satisfies OptionGroup;

/** The address alone, with its certificates. */
export const REDIS_ADDRESS = pick(REDIS, "redisUrl", "redisCa", "redisCert", "redisKey");

export function inFlightBounds(values: GroupValues<typeof REDIS>): InFlightBounds {
  return { maxJobs: values.inFlightJobs, maxBytes: values.inFlightBytes };
}

import { PRIORITIES } from "../../../src/core/priority.js";
import type { OptionGroup } from "./option-spec.js";

/** The keys of the gateway. */
export const KEYS = {
  title: "Keys",
  options: {
    keys: {
      flags: "--keys <place>",
      env: "RANKMILL_KEYS",
      type: "text",
      default: "redis",
      description: "place of the gateway's keys: redis, or a JSON file",
    },
  },
} as const satisfies OptionGroup;

/** The rights and limits of a new key. */
export const NEW_KEY = {
  title: "Keys",
  options: {
    scopes: {
      flags: "--scopes <list>",
      type: "text",
      default: "rerank,runs,read",
      description: "rights of the key, separated by commas: rerank, runs, read, admin",
    },
    expiresInDays: {
      flags: "--expires-in-days <n>",
      type: "integer",
      min: 1,
      max: 36_500,
      computedDefault: "never",
      unit: "days",
      description: "time after which the key is refused",
    },
    requestsPerMinute: {
      flags: "--requests-per-minute <n>",
      type: "integer",
      min: 1,
      max: 1_000_000,
      computedDefault: "no limit",
      unit: "requests",
      description: "most requests of the key per minute, over all gateways",
    },
    pairsInFlight: {
      flags: "--pairs-in-flight <n>",
      type: "integer",
      min: 1,
      computedDefault: "no limit",
      unit: "pairs",
      description: "most pairs of the key's requests and jobs that have not ended",
    },
    highestPriority: {
      flags: "--highest-priority <priority>",
      type: "choice",
      choices: PRIORITIES,
      default: "interactive",
      description: "queue that the key's jobs may go to at most",
    },
  },
} as const satisfies OptionGroup;

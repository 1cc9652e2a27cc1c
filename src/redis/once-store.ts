import { randomUUID } from "node:crypto";
import type { Result } from "ioredis";
import { z } from "zod";
import { parseStored } from "../core/stored-json.js";
import { tenantKeys } from "./keys.js";
import type { RedisClient } from "./redis-client.js";

/** A client that repeats a request does so within minutes; a day is what others keep too. */
const KEPT_SECONDS = 86_400;
/** A gateway that died in the middle of a request blocks its repetition for so long. */
const LEASE_MS = 60_000;
const RENEW_MS = 20_000;

const entrySchema = z.object({
  /** Whoever is at work on it; empty: it has its answer. */
  worker: z.string(),
  fingerprint: z.string(),
  answer: z.string(),
});

/** KEYS: entry. ARGV: the worker's mark, milliseconds. Returns 1 if the entry is the worker's still. */
const RENEW = `
local entry = redis.call("GET", KEYS[1])
if not entry or not string.find(entry, ARGV[1], 1, true) then return 0 end
if ARGV[2] == "0" then redis.call("DEL", KEYS[1]) else redis.call("PEXPIRE", KEYS[1], ARGV[2]) end
return 1
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillRenewOnce(entry: string, mark: string, ms: number): Result<number, Context>;
  }
}

/** The state of a request that is to be done once. */
export type OnceStart =
  /** It is ours to do: end it with `finish`, or with `abandon`. */
  | { readonly status: "begun"; readonly turn: OnceTurn }
  | { readonly status: "busy" }
  | { readonly status: "answered"; readonly fingerprint: string; readonly answer: string };

/** A request that this process is doing, renewed while it lasts. */
export interface OnceTurn {
  finish(answer: string): Promise<void>;
  /** It failed: the next one may try again. */
  abandon(): Promise<void>;
}

/** Answers to requests that clients may repeat, by the name that they gave each. */
export class OnceStore {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
    redis.defineCommand("rankmillRenewOnce", { numberOfKeys: 1, lua: RENEW });
  }

  /**
   * @param hash of the name that the client gave the request
   * @param fingerprint of the request: another one under the same name is a mistake
   */
  async begin(keyId: string, hash: string, fingerprint: string): Promise<OnceStart> {
    const key = tenantKeys.once(keyId, hash);
    const worker = randomUUID();
    const entry = JSON.stringify({ worker, fingerprint, answer: "" });
    if ((await this.#redis.set(key, entry, "PX", LEASE_MS, "NX")) === "OK") {
      return { status: "begun", turn: this.#turn(key, worker, fingerprint) };
    }
    const text = await this.#redis.get(key);
    // It went in this moment, with the one who was at work on it.
    if (text === null) return { status: "busy" };
    const found = parseStored(entrySchema, text, "the answer to a request in Redis");
    if (found.worker !== "") return { status: "busy" };
    return { status: "answered", fingerprint: found.fingerprint, answer: found.answer };
  }

  #turn(key: string, worker: string, fingerprint: string): OnceTurn {
    const renew = async (ms: number): Promise<void> => {
      await this.#redis.rankmillRenewOnce(key, worker, ms);
    };
    const renewing = setInterval(() => void renew(LEASE_MS).catch(() => {}), RENEW_MS);
    return {
      finish: async (answer) => {
        clearInterval(renewing);
        const entry = JSON.stringify({ worker: "", fingerprint, answer });
        await this.#redis.set(key, entry, "EX", KEPT_SECONDS);
      },
      abandon: async () => {
        clearInterval(renewing);
        await renew(0);
      },
    };
  }
}

import type { Result } from "ioredis";
import { accessKeySchema, type AccessKey } from "../core/access-key.js";
import { RankmillError } from "../core/errors.js";
import { MAX_KEYS, type KeyStore } from "../core/ports/key-store.js";
import { parseStored } from "../core/stored-json.js";
import { ACCESS_KEYS_KEY } from "./keys.js";
import type { RedisClient } from "./redis-client.js";

/** KEYS: all keys. ARGV: id, the key, most keys. Returns 1 if it was added, 0 if its id is taken, -1 if all are full. */
const ADD = `
if redis.call("HEXISTS", KEYS[1], ARGV[1]) == 1 then return 0 end
if redis.call("HLEN", KEYS[1]) >= tonumber(ARGV[3]) then return -1 end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
return 1
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillAddKey(all: string, id: string, key: string, most: number): Result<number, Context>;
  }
}

/** Keys in the Redis that the gateways share: one hash, id → the key as JSON. */
export class RedisKeyStore implements KeyStore {
  readonly name = "Redis";
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
    redis.defineCommand("rankmillAddKey", { numberOfKeys: 1, lua: ADD });
  }

  async find(id: string): Promise<AccessKey | undefined> {
    const text = await this.#redis.hget(ACCESS_KEYS_KEY, id);
    return text === null ? undefined : keyOf(id, text);
  }

  async list(): Promise<AccessKey[]> {
    const all = Object.entries(await this.#redis.hgetall(ACCESS_KEYS_KEY));
    return all
      .map(([id, text]) => keyOf(id, text))
      .sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
  }

  async add(key: AccessKey): Promise<void> {
    const text = JSON.stringify(key);
    const added = await this.#redis.rankmillAddKey(ACCESS_KEYS_KEY, key.id, text, MAX_KEYS);
    if (added === 1) return;
    if (added === 0) {
      throw new RankmillError("conflict", `${this.name} holds a key ${key.id} already`);
    }
    const limit = { name: "keys", value: MAX_KEYS + 1, max: MAX_KEYS, unit: "keys" };
    const message = `${this.name} holds ${MAX_KEYS} keys, and may hold no more: revoke some`;
    throw new RankmillError("limit_exceeded", message, { limit });
  }

  async remove(id: string): Promise<boolean> {
    return (await this.#redis.hdel(ACCESS_KEYS_KEY, id)) === 1;
  }
}

function keyOf(id: string, text: string): AccessKey {
  const key = parseStored(accessKeySchema, text, `the key ${id} in Redis`);
  // One that was copied to another field must not be let in under that name.
  return { ...key, id };
}

import type { Result } from "ioredis";
import { z } from "zod";
import { tryStored } from "../core/stored-json.js";
import { tenantKeys } from "./keys.js";
import type { RedisClient } from "./redis-client.js";

/** An upload whose gateway died is forgotten after this time. */
const UNDER_WAY_MS = 3_600_000;
/** All of them are listed at once. */
const MAX_FILES = 1_000;

const fileSchema = z.object({
  id: z.string(),
  filename: z.string(),
  purpose: z.string(),
  bytes: z.number(),
  createdAtMs: z.number(),
  expiresAtMs: z.number(),
});

/** An upload that is there. */
export type StoredFile = Readonly<z.infer<typeof fileSchema>>;

/**
 * KEYS: bytes per file. ARGV: file, its bytes, until when, most bytes, most files, now. Each value is `bytes:until`.
 * Returns -1 if the file has its place now, else the bytes that others take; -2 if there are too many files.
 */
const RESERVE = `
local all = redis.call("HGETALL", KEYS[1])
local taken, files = 0, 0
for i = 1, #all, 2 do
  local bytes, till = string.match(all[i + 1], "^(%d+):(%d+)$")
  if not till or tonumber(till) <= tonumber(ARGV[6]) then
    redis.call("HDEL", KEYS[1], all[i])
  elseif all[i] ~= ARGV[1] then
    taken = taken + tonumber(bytes)
    files = files + 1
  end
end
if taken + tonumber(ARGV[2]) > tonumber(ARGV[4]) then return taken end
if files >= tonumber(ARGV[5]) then return -2 end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2] .. ":" .. ARGV[3])
local left = tonumber(ARGV[3]) - tonumber(ARGV[6])
if redis.call("PTTL", KEYS[1]) < left then redis.call("PEXPIRE", KEYS[1], left) end
return -1
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillReserveFile(
      bytes: string,
      id: string,
      size: number,
      untilMs: number,
      mostBytes: number,
      mostFiles: number,
      nowMs: number,
    ): Result<number, Context>;
  }
}

/** The answer to a reservation: the place is taken, or why it is not. */
export type Reserved =
  | { readonly status: "reserved" }
  | { readonly status: "full"; readonly takenBytes: number }
  | { readonly status: "too-many"; readonly most: number };

/** The uploads of each key, with the bytes that they take; what has expired is not there. */
export class FileIndex {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
    redis.defineCommand("rankmillReserveFile", { numberOfKeys: 1, lua: RESERVE });
  }

  /** Takes a place for an upload that is under way. */
  async reserve(keyId: string, id: string, bytes: number, quotaBytes: number): Promise<Reserved> {
    return await this.#reserve(keyId, id, bytes, Date.now() + UNDER_WAY_MS, quotaBytes);
  }

  /** Puts a file in that is whole now; its bytes replace those that were reserved. */
  async put(keyId: string, file: StoredFile): Promise<void> {
    // It has its place: nothing can be too much now.
    await this.#reserve(keyId, file.id, file.bytes, file.expiresAtMs, Number.MAX_SAFE_INTEGER);
    const key = tenantKeys.files(keyId);
    await this.#redis.hset(key, file.id, JSON.stringify(file));
    const left = Math.ceil(file.expiresAtMs - Date.now());
    if ((await this.#redis.pttl(key)) < left) await this.#redis.pexpire(key, Math.max(1, left));
  }

  async find(keyId: string, id: string): Promise<StoredFile | undefined> {
    const file = tryStored(fileSchema, await this.#redis.hget(tenantKeys.files(keyId), id));
    return file === undefined || file.expiresAtMs <= Date.now() ? undefined : file;
  }

  /** All files of a key, the newest first. */
  async list(keyId: string): Promise<StoredFile[]> {
    const texts = await this.#redis.hvals(tenantKeys.files(keyId));
    return texts
      .flatMap((text) => tryStored(fileSchema, text) ?? [])
      .filter(({ expiresAtMs }) => expiresAtMs > Date.now())
      .sort((a, b) => b.createdAtMs - a.createdAtMs);
  }

  async remove(keyId: string, id: string): Promise<void> {
    await this.#redis.hdel(tenantKeys.files(keyId), id);
    await this.#redis.hdel(tenantKeys.fileBytes(keyId), id);
  }

  async #reserve(
    keyId: string,
    id: string,
    bytes: number,
    untilMs: number,
    quotaBytes: number,
  ): Promise<Reserved> {
    const key = tenantKeys.fileBytes(keyId);
    const until = Math.ceil(untilMs);
    const limits = [quotaBytes, MAX_FILES] as const;
    const args = [id, bytes, until, ...limits, Date.now()] as const;
    const taken = await this.#redis.rankmillReserveFile(key, ...args);
    if (taken === -1) return { status: "reserved" };
    if (taken === -2) return { status: "too-many", most: MAX_FILES };
    return { status: "full", takenBytes: taken };
  }
}

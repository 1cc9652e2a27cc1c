/**
 * The contents of a Redis, as the commands that write them: any server loads them, whatever its
 * version, and keys that had a time to live get it anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Redis } from "ioredis";
import { z } from "zod";

const argument = z.union([z.string(), z.object({ base64: z.base64() })]);
const commands = z.array(z.tuple([z.string()], argument));
type Argument = z.infer<typeof argument>;
type Command = z.infer<typeof commands>[number];

/** Locks, leases and signs of life: over before anyone comes back. */
const SHORT_LIVED_SECONDS = 120;
/** The newest of what BullMQ tells dashboards. */
const EVENTS_KEPT = 8;

/** Texts to put in the place of others, as of a host's name. */
export type Renamed = Readonly<Record<string, string>>;

export function renamed(text: string, names: Renamed): string {
  return Object.entries(names).reduce((all, [from, to]) => all.replaceAll(from, to), text);
}

/** Writes the commands of the keys that match to `path`, one per line. */
export async function saveRedis(
  redis: Redis,
  path: string,
  names: Renamed,
  pattern = "*",
): Promise<void> {
  const lines: string[] = [];
  for (const key of (await redis.keys(pattern)).sort()) {
    const ttlSeconds = await redis.ttl(key);
    if (ttlSeconds >= 0 && ttlSeconds < SHORT_LIVED_SECONDS) continue;
    const written = await commandsOf(redis, key);
    if (ttlSeconds >= 0) written.push(["EXPIRE", key, String(ttlSeconds)]);
    lines.push(
      ...written.map((command) => JSON.stringify(command.map((one) => rename(one, names)))),
    );
  }
  writeFileSync(path, `[\n${lines.join(",\n")}\n]\n`);
}

/** Plays the commands of `path`. */
export async function loadRedis(redis: Redis, path: string, names: Renamed): Promise<void> {
  for (const [name, ...args] of commands.parse(JSON.parse(readFileSync(path, "utf8")))) {
    await redis.call(name, ...args.map((one) => decode(one, names)));
  }
}

async function commandsOf(redis: Redis, key: string): Promise<Command[]> {
  const type = await redis.type(key);
  switch (type) {
    case "string":
      return [["SET", key, encode(await redis.getBuffer(key))]];
    case "hash":
      return [["HSET", key, ...(await values(redis, "HGETALL", key))]];
    case "list":
      return [["RPUSH", key, ...(await values(redis, "LRANGE", key, "0", "-1"))]];
    case "set":
      return [["SADD", key, ...(await values(redis, "SMEMBERS", key))]];
    case "zset": {
      const found = await redis.zrange(key, 0, -1, "WITHSCORES");
      return [["ZADD", key, ...pairs(found).flatMap(([member, score]) => [score, member])]];
    }
    case "stream":
      return (await redis.xrange(key, "-", "+"))
        .slice(-EVENTS_KEPT)
        .map(([id, fields]) => ["XADD", key, id, ...fields]);
    default:
      throw new Error(`${key} is a ${type}`);
  }
}

async function values(redis: Redis, name: string, ...args: string[]): Promise<Argument[]> {
  return z
    .array(z.instanceof(Buffer))
    .parse(await redis.callBuffer(name, ...args))
    .map(encode);
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [
    flat[2 * i] ?? "",
    flat[2 * i + 1] ?? "",
  ]);
}

function encode(bytes: Buffer | null): Argument {
  if (bytes === null) throw new Error("a key went while it was read");
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString("base64") };
}

function rename(one: Argument, names: Renamed): Argument {
  return typeof one === "string" ? renamed(one, names) : one;
}

function decode(one: Argument, names: Renamed): string | Buffer {
  const own = rename(one, names);
  return typeof own === "string" ? own : Buffer.from(own.base64, "base64");
}

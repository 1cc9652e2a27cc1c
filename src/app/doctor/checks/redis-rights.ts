import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { describeError } from "../../../core/errors.js";
import { KEY_PREFIX } from "../../../redis/keys.js";
import { userOf } from "../../../redis/redis-address.js";
import type { Check } from "../check.js";
import { note, ok, problem, type Said } from "../finding.js";

/** Anything that is left if a connection ends half way. */
const PROBE_TTL_MS = 60_000;

/** The user may run what rankmill and the queue run, on keys and channels that begin with `rankmill:`. */
export const redisRights: Check = {
  name: "redis-rights",
  needs: "server",
  run: async ({ redis, url }) => {
    const denied = await deniedCommands(redis);
    const user = userOf(url) ?? "default";
    if (denied.length > 0) {
      return [
        problem(
          `${user} may not run ${denied.join(", ")} on ${KEY_PREFIX}:*`,
          `ACL SETUSER ${user} ~${KEY_PREFIX}:* &${KEY_PREFIX}:* ${denied.map((one) => `+${one.toLowerCase().replace(" ", "|")}`).join(" ")}`,
        ),
      ];
    }
    return [ok(`${user} may run every command that is needed`), ...openToAll(redis)];
  },
};

/** Commands that are refused for want of rights. */
async function deniedCommands(redis: Redis): Promise<readonly string[]> {
  const key = (type: string): string => `${KEY_PREFIX}:{doctor}:${type}:${id}`;
  const id = randomUUID();
  const [text, hash, set, sorted, list, stream] = [
    "text",
    "hash",
    "set",
    "sorted",
    "list",
    "stream",
  ].map(key) as [string, string, string, string, string, string];
  const touched = [text, hash, set, sorted, list, stream];
  const commands: readonly (readonly [string, ...string[]])[] = [
    ["SET", text, "1", "PX", String(PROBE_TTL_MS)],
    ["GET", text],
    ["MGET", text],
    ["INCRBY", text, "1"],
    ["EXISTS", text],
    ["HSET", hash, "field", "1"],
    ["HGETALL", hash],
    ["SADD", set, "1"],
    ["SMEMBERS", set],
    ["SREM", set, "1"],
    ["ZADD", sorted, "1", "1"],
    ["ZCARD", sorted],
    ["BZPOPMIN", sorted, "1"],
    ["LPUSH", list, "1"],
    ["LRANGE", list, "0", "-1"],
    ["XADD", stream, "*", "field", "1"],
    ["XTRIM", stream, "MAXLEN", "1"],
    ["EVAL", "return redis.call('EXISTS', KEYS[1])", "1", text],
    ["PUBLISH", `${KEY_PREFIX}:{doctor}:ended`, ""],
    ["INFO"],
    ["TIME"],
    ["CLIENT SETNAME", "rankmill-doctor"],
    ...touched.map((one) => ["PEXPIRE", one, String(PROBE_TTL_MS)] as const),
    ["UNLINK", ...touched],
    ["DEL", ...touched],
  ];
  const denied = new Set<string>();
  for (const [name, ...args] of commands) {
    const [command = name, ...sub] = name.split(" ");
    if (await isDenied(redis.call(command, ...sub, ...args))) denied.add(name);
  }
  const subscriber = redis.duplicate();
  subscriber.on("error", () => undefined);
  if (await isDenied(subscriber.subscribe(`${KEY_PREFIX}:{doctor}:ended`))) denied.add("SUBSCRIBE");
  subscriber.disconnect();
  return [...denied];
}

/** @throws what fails for another reason */
async function isDenied(command: Promise<unknown>): Promise<boolean> {
  try {
    await command;
    return false;
  } catch (error) {
    const { message } = describeError(error);
    if (message.startsWith("NOPERM")) return true;
    // A server that lacks a command, or is full: other checks say so. A master of a cluster asks for
    // rights before it says that the key is another's.
    if (/unknown command|wrong number of arguments|OOM|MISCONF|MOVED/i.test(message)) return false;
    throw error;
  }
}

function openToAll(redis: Redis): Said[] {
  const { password, host = "", path } = redis.options;
  const local = /^(localhost|::1|127\..*)$/.test(host) || path !== undefined;
  if ((password ?? "") !== "" || local) return [];
  return [
    note(
      "the server asks for no password: whoever reaches it reads and changes jobs",
      "set requirepass or an ACL user, unless the network keeps others out",
    ),
  ];
}

/** What a stuck run looks like from everywhere: its processes, their last words, what they wait for, and Redis. */
import { waitAtMost } from "../../../src/platform/wait-at-most.js";
import { lanesOf, look } from "../../support/processes.js";
import type { Arena } from "./arena.js";
import { reportOf } from "./process-report.js";

/** Redis may be what is stuck. */
const REDIS_MS = 5_000;
const SHOWN_KEYS = 200;
const SHOWN_CHARS = 300;

export async function diagnose(arena: Arena): Promise<string> {
  const services = [...arena.workers, ...arena.owners];
  const parts = await Promise.all(
    services.map(async ({ name, pid, said }) => {
      if (pid === undefined) return [`${name}: does not run`, said];
      const lanes = await Promise.all(
        lanesOf(pid).map(async (lane) => await processOf(`lane of ${name}`, lane.pid)),
      );
      return [await processOf(name, pid), ...lanes, said];
    }),
  );
  const asked = redisOf(arena).catch((error: unknown) => String(error));
  const redis = await waitAtMost(asked, REDIS_MS);
  const keys = redis.status === "settled" ? redis.value : `no answer within ${REDIS_MS / 1_000} s`;
  return [...parts.flat(), `Redis\n${keys}`].join("\n");
}

async function processOf(name: string, pid: number): Promise<string> {
  const state = look(pid)?.state ?? "gone";
  // A frozen process would take the signal for the report only once it goes on.
  const report = state === "T" || state === "gone" ? "" : await reportOf(pid);
  return `${name}: process ${pid}, state ${state}\n${report}`;
}

/** Every key that no result is, with its length, or its content if it is a run's. */
async function redisOf({ redis }: Arena): Promise<string> {
  const keys = (await redis.keys("*")).sort();
  const results = keys.filter((key) => /:(result|fence|owners):/.test(key));
  const others = keys.filter((key) => !results.includes(key)).slice(0, SHOWN_KEYS);
  const lines = await Promise.all(others.map(async (key) => `${key}: ${await shown(key)}`));
  return [...lines, `and ${results.length} results, fences and owners`].join("\n");

  async function shown(key: string): Promise<string> {
    const type = await redis.type(key);
    const ttl = await redis.pttl(key);
    const content = await contentOf(key, type);
    return `${type}, ${ttl} ms, ${content.slice(0, SHOWN_CHARS)}`;
  }

  async function contentOf(key: string, type: string): Promise<string> {
    if (type === "hash") return JSON.stringify(await redis.hgetall(key));
    if (type === "list") return `${await redis.llen(key)} items`;
    if (type === "set") return `${await redis.scard(key)} members`;
    if (type === "zset") return `${await redis.zcard(key)} members`;
    return type === "string" ? ((await redis.get(key)) ?? "") : "";
  }
}

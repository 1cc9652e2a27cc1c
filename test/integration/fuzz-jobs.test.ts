/** Hostile jobs and keys in Redis beside good jobs of another client, none of which may notice. */
import { join } from "node:path";
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { expect, it } from "vitest";
import type * as Library from "../../src/index.js";
import { KEY_PREFIX, jobKeys, queueName } from "../../src/redis/keys.js";
import { changed, mutated, randomOf } from "../fuzz/support/mutate.js";
import { BUILTIN } from "../support/cli.js";
import { dist } from "../support/dist.js";
import { useFleet } from "../support/fleet.js";
import { longTests } from "../support/needs.js";
import type { SeededRandom } from "../support/random.js";
import { hasRealRedis } from "../support/redis-server.js";

const SEED = 7;
const HOSTILE_JOBS = longTests.isMet ? 3_000 : 300;
const GOOD_JOBS = 60;
const RESULT_TIMEOUT_MS = 600_000;
const ENVELOPE = {
  v: 1,
  options: { maxLength: 512, truncation: "only-second" },
  bytes: 40,
  pairs: 1,
  ttlSeconds: 600,
  request: '{"id":"a","query":"q","documents":["d"]}',
};
const KINDS = ["result", "fence", "payload", "accused", "owners"] as const;

const fleet = useFleet({ shared: "nothing" });

it.runIf(hasRealRedis)(
  "good jobs beside hostile ones all end with a ranking at their first attempt",
  async () => {
    const { redis, server } = fleet;
    const entry = join(dist, "src/index.js");
    const { createClient } = (await import(entry)) as typeof Library;
    const client = await createClient({ redisUrl: server.url });
    const enqueue = async (id: string) =>
      await client.enqueue({
        id,
        model: BUILTIN,
        priority: "bulk",
        query: id,
        documents: ["d", id],
      });
    const good = [await enqueue("first")];
    const tag = await tagIn(redis);
    const queue = new Queue(queueName(tag, "bulk"), {
      connection: { url: server.url },
      prefix: KEY_PREFIX,
    });
    for (let number = 0; number < HOSTILE_JOBS; number += 1) {
      await putHostile(randomOf(SEED, number), number, { redis, queue, tag });
      if (number % Math.ceil(HOSTILE_JOBS / GOOD_JOBS) === 0)
        good.push(await enqueue(`good ${number}`));
    }
    await queue.close();

    const worker = await fleet.worker();
    const last = await enqueue("last");
    for (const job of [...good, last]) {
      const { results } = await job.result({ timeoutMs: RESULT_TIMEOUT_MS });
      expect(results).toHaveLength(2);
      const fence = await redis.get(jobKeys.fence(tag, job.id));
      expect(fence?.split(" ")[1], `attempts of ${job.id}`).toBe("1");
    }
    await client.close();
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);
  },
);

interface Place {
  readonly redis: Redis;
  readonly queue: Queue;
  readonly tag: string;
}

/** A job that somebody waits for, with one thing or several wrong with it. */
async function putHostile(random: SeededRandom, number: number, place: Place): Promise<void> {
  const { redis, queue, tag } = place;
  const jobId = random.between(0, 9) === 0 ? `../${number}\n*{}` : `hostile-${number}`;
  await redis.set(jobKeys.owners(tag, jobId), "somebody", "EX", 600);
  const data = changed(random, ENVELOPE);
  await queue.add("rerank", random.between(0, 4) === 0 ? ENVELOPE : data, { jobId, attempts: 2 });
  if (random.between(0, 2) === 0)
    await putKey(random, redis, jobKeys[random.pick(KINDS)](tag, jobId));
  if (random.between(0, 2) > 0) return;
  const hash = `${KEY_PREFIX}:${queueName(tag, "bulk")}:${jobId}`;
  const field = random.pick(["data", "opts", "timestamp", "priority", "atm", "stc", "name"]);
  const before = (await redis.hget(hash, field)) ?? "0";
  if (random.between(0, 9) === 0) await redis.del(hash);
  else await redis.hset(hash, field, mutated(random, [before]));
}

/** A key of the wrong type, or with a text that rankmill did not write. */
async function putKey(random: SeededRandom, redis: Redis, key: string): Promise<void> {
  await redis.del(key);
  const text = mutated(random, ["D{}", "F{}", "1 1", "7 2", "somebody", '{"code":"x"}']);
  switch (random.between(0, 4)) {
    case 0:
      await redis.hset(key, "field", text);
      break;
    case 1:
      await redis.rpush(key, text);
      break;
    case 2:
      await redis.zadd(key, 1, text);
      break;
    default:
      await redis.set(key, text);
  }
}

async function tagIn(redis: Redis): Promise<string> {
  const [key = ""] = await redis.keys(`${KEY_PREFIX}:{*}:owners:*`);
  const tag = /\{(.+)\}/.exec(key)?.[1];
  if (tag === undefined) throw new Error(`no model's tag in ${key}`);
  return tag;
}

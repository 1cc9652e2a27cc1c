import { randomBytes } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import type { Result } from "ioredis";
import { scoresKey } from "./keys.js";
import type { EncodedPair } from "../core/pair.js";
import type { ScoreCache } from "../core/ports/score-cache.js";
import { FIELD_BYTES, scorePlace } from "./score-key.js";
import { impatientClient, isCluster, type RedisClient } from "./redis-client.js";

export interface RedisScoreCacheOptions {
  readonly tag: string;
  /** All that a logit depends on beside the pair; see `scoreScope`. */
  readonly scope: Buffer;
  /** Most bytes of Redis for the model's scores. */
  readonly capacityBytes: number;
  /** Told once whenever the cache becomes unusable for a while. */
  readonly onError: (error: unknown) => void;
  /** The time for which the cache is left alone after a failure. */
  readonly restMs?: number | undefined;
}

/**
 * Entries of a bucket's generation. With one more, its 20 bytes an entry no longer fit an allocation
 * of 2.5 KiB; and far below the 512 from which Redis takes another, five times larger encoding.
 */
const GENERATION_ENTRIES = 127;
const GENERATIONS = 2;
const VALUE_BYTES = 4;
/** Beyond what MEMORY USAGE counts of a key: its slots in two tables and its entry among the expiries. */
const KEY_OVERHEAD_BYTES = 64;
/** Size of a generation on a server that does not tell: a hash table instead of a compact list. */
const CAUTIOUS_GENERATION_BYTES = 16_384;
/** A bucket into which nothing is written for this long goes: the model is no longer served, say. */
const TTL_SECONDS = 604_800;
const PROBE_TTL_SECONDS = 60;
/** Pairs of one script: bounds how long Redis serves nobody else, and how long a worker hashes. */
const CHUNK_PAIRS = 256;
/** Pairs whose scores are on their way to Redis; more are not kept. */
const MAX_WRITING_PAIRS = 65_536;
/** An answer that takes longer is not worth the wait. */
const ANSWER_TIMEOUT_MS = 1_000;
/** Long enough that an outage costs no job a wait that it would notice. */
const DEFAULT_REST_MS = 5_000;

/**
 * KEYS: the bucket of each pair. ARGV: entries of a generation, TTL in seconds, then each pair's field.
 * Returns one value per pair, nil if there is none. An entry that is found in the older generation is put into
 * the newer one too, if that has room and Redis memory. Both generations lie in one slot of a
 * cluster, for what decides it stands in braces.
 */
const READ = `
local found = {}
for i, key in ipairs(KEYS) do
  local field = ARGV[i + 2]
  local value = redis.call("HGET", key, field)
  if not value then
    value = redis.call("HGET", key .. ":old", field)
    if value and redis.call("HLEN", key) < tonumber(ARGV[1]) then
      redis.pcall("HSET", key, field, value)
      redis.call("EXPIRE", key, ARGV[2])
    end
  end
  found[i] = value
end
return found
`;

/**
 * KEYS: the bucket of each pair. ARGV: as for READ, with each pair's field and value. A newer generation
 * that is full becomes the older one, whose entries are freed at once: a few kilobytes.
 */
const WRITE = `
for i, key in ipairs(KEYS) do
  local field = ARGV[2 * i + 1]
  if redis.call("HLEN", key) >= tonumber(ARGV[1]) and redis.call("HEXISTS", key, field) == 0 then
    redis.call("RENAME", key, key .. ":old")
  end
  redis.call("HSET", key, field, ARGV[2 * i + 2])
  redis.call("EXPIRE", key, ARGV[2])
end
return 1
`;

type ScriptArguments = readonly (string | number | Buffer)[];

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillReadScoresBuffer(
      keyCount: number,
      ...rest: ScriptArguments
    ): Result<(Buffer | null)[], Context>;
    rankmillWriteScores(keyCount: number, ...rest: ScriptArguments): Result<number, Context>;
  }
}

/**
 * The score cache of one model on Redis, shared by all its workers.
 *
 * A pair's logit is a field of 12 bytes with a value of 4 in one of many hashes, the *buckets*. Each
 * bucket has two *generations*: a pair is written to the newer one and looked for in both; the newer
 * one, once full, becomes the older one and drops the last. So nothing is ever counted or collected
 * over the whole cache, workers need not agree on anything, and the bound in bytes is the number of
 * buckets times what two full generations take on this very server, which is measured at the start.
 *
 * *Usable*: every call goes to Redis, over a connection of its own that neither queues nor tries
 * again. *Resting*: a call failed or took too long; for some seconds nothing is asked and nothing
 * kept. *Closed*: as resting, for good.
 */
export class RedisScoreCache implements ScoreCache {
  readonly #redis: RedisClient;
  readonly #options: RedisScoreCacheOptions;
  readonly #buckets: number;
  readonly #writing = new Set<Promise<void>>();
  #restingUntilMs = 0;
  #writingPairs = 0;

  private constructor(redis: RedisClient, options: RedisScoreCacheOptions, buckets: number) {
    this.#redis = redis;
    this.#options = options;
    this.#buckets = buckets;
    redis.defineCommand("rankmillReadScores", { lua: READ });
    redis.defineCommand("rankmillWriteScores", { lua: WRITE });
  }

  /**
   * @param redis a connected client; the cache opens another connection of its own beside it
   * @throws what Redis answers if it cannot be used at all
   */
  static async open(redis: RedisClient, options: RedisScoreCacheOptions): Promise<RedisScoreCache> {
    const generationBytes = await measureGeneration(redis, options.tag);
    const bucketBytes = GENERATIONS * generationBytes;
    const buckets = Math.max(1, Math.floor(options.capacityBytes / bucketBytes));
    const own = impatientClient(redis, ANSWER_TIMEOUT_MS);
    // Every command that fails says so itself.
    own.on("error", () => undefined);
    try {
      await own.connect();
      // A cluster connects to a node at its first command, and refuses the next until it is there.
      if (isCluster(own)) await own.exists(scoresKey(options.tag, 0));
    } catch (error) {
      own.disconnect();
      throw error;
    }
    return new RedisScoreCache(own, options, buckets);
  }

  /** Pairs that it holds at the most. */
  get capacityPairs(): number {
    return this.#buckets * GENERATIONS * GENERATION_ENTRIES;
  }

  async read(pairs: readonly EncodedPair[]): Promise<(number | undefined)[] | undefined> {
    if (this.#resting) return undefined;
    try {
      const answers: Promise<(Buffer | null)[]>[] = [];
      for (const chunk of chunksOf(pairs)) {
        const { keys, fields } = this.#places(chunk);
        const sent = this.#redis.rankmillReadScoresBuffer(
          keys.length,
          ...keys,
          GENERATION_ENTRIES,
          TTL_SECONDS,
          ...fields,
        );
        // All of them are on their way before the first is awaited.
        sent.catch(() => undefined);
        answers.push(sent);
        await turn();
      }
      return (await Promise.all(answers)).flat().map(logitOf);
    } catch (error) {
      this.#rest(error);
      return undefined;
    }
  }

  write(pairs: readonly EncodedPair[], logits: readonly number[]): void {
    if (this.#resting || this.#writingPairs + pairs.length > MAX_WRITING_PAIRS) return;
    this.#writingPairs += pairs.length;
    const writing = this.#write(pairs, logits)
      .catch((error: unknown) => this.#rest(error))
      .finally(() => {
        this.#writing.delete(writing);
        this.#writingPairs -= pairs.length;
      });
    this.#writing.add(writing);
  }

  /** Waits for what is being written, each command for as long as an answer may take. */
  async close(): Promise<void> {
    this.#restingUntilMs = Infinity;
    await Promise.all(this.#writing);
    this.#redis.disconnect();
  }

  async #write(pairs: readonly EncodedPair[], logits: readonly number[]): Promise<void> {
    let at = 0;
    for (const chunk of chunksOf(pairs)) {
      const { keys, fields } = this.#places(chunk);
      const entries = fields.flatMap((field, index) => [field, bytesOf(logits[at + index])]);
      at += chunk.length;
      await this.#redis.rankmillWriteScores(
        keys.length,
        ...keys,
        GENERATION_ENTRIES,
        TTL_SECONDS,
        ...entries,
      );
    }
  }

  #places(pairs: readonly EncodedPair[]): { keys: string[]; fields: Buffer[] } {
    const { scope, tag } = this.#options;
    const places = pairs.map((pair) => scorePlace(scope, pair, this.#buckets));
    return {
      keys: places.map(({ bucket }) => scoresKey(tag, bucket)),
      fields: places.map(({ field }) => field),
    };
  }

  get #resting(): boolean {
    return performance.now() < this.#restingUntilMs;
  }

  #rest(error: unknown): void {
    if (this.#resting) return;
    this.#restingUntilMs = performance.now() + (this.#options.restMs ?? DEFAULT_REST_MS);
    this.#options.onError(error);
  }
}

/** Bytes that a full generation takes on this server. */
async function measureGeneration(redis: RedisClient, tag: string): Promise<number> {
  const key = `${scoresKey(tag, 0)}:probe`;
  const entries = Array.from({ length: GENERATION_ENTRIES }, () => [
    randomBytes(FIELD_BYTES),
    randomBytes(VALUE_BYTES),
  ]).flat();
  await redis
    .multi()
    .del(key)
    .hset(key, ...entries)
    .expire(key, PROBE_TTL_SECONDS)
    .exec();
  const bytes = await redis.memory("USAGE", key, "SAMPLES", 0).catch(() => null);
  await redis.del(key);
  return (bytes ?? CAUTIOUS_GENERATION_BYTES) + KEY_OVERHEAD_BYTES;
}

function* chunksOf(pairs: readonly EncodedPair[]): Generator<readonly EncodedPair[]> {
  for (let at = 0; at < pairs.length; at += CHUNK_PAIRS) yield pairs.slice(at, at + CHUNK_PAIRS);
}

/** Four bytes hold all of a logit: lanes give float32. @throws RangeError if they would not */
function bytesOf(logit: number | undefined): Buffer {
  if (logit === undefined || Math.fround(logit) !== logit) {
    throw new RangeError(`the logit ${String(logit)} is no float32`);
  }
  const bytes = Buffer.allocUnsafe(VALUE_BYTES);
  bytes.writeFloatLE(logit);
  return bytes;
}

function logitOf(bytes: Buffer | null): number | undefined {
  return bytes?.length === VALUE_BYTES ? bytes.readFloatLE() : undefined;
}

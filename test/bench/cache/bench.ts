import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createClient } from "../../../src/index.js";
import { missingCollection, readCollection } from "../engine/collection.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { modelsFolder } from "../support/places.js";
import { print, printTable, say } from "../support/print.js";
import { startRedis, urlOf } from "../support/redis.js";
import { median, seededRandom, shuffled } from "../support/statistics.js";
import type { FromWorker, ReuseOptions, StartWorker, ToWorker } from "./worker.js";
import type { ReuseCounts } from "../../../src/telemetry/reuse-counts.js";

const USAGE = `cache: what remembered tokens, shared pairs and kept scores save under Zipf's law
  --models DIR       synthetic models (RANKMILL_BENCH_MODELS)
  --repetitions N    of all ways, in random order (3)
  --jobs N           of 8 documents each (60)`;

export const cacheBench: Bench = { usage: USAGE, run };

const MODEL = "minilm-l6";
const DOCUMENTS = 8;
const MAX_LENGTH = 256;
const LANES = 2;
const SEED = 7;
const RESULT_TIMEOUT_MS = 600_000;
const MIB = 1024 * 1024;

interface Job {
  readonly query: string;
  readonly documents: readonly string[];
}

interface Sample {
  readonly seconds: number;
  readonly reuse: ReuseCounts;
  readonly logits: string;
}

/** Each adds to the one before; `warm` is another worker on the Redis that `cold` has filled. */
const WAYS: Readonly<Record<string, ReuseOptions>> = {
  nothing: { tokenCacheBytes: 0, sharesEqualPairs: false, scoreCacheBytes: 0 },
  "+ tokens": { tokenCacheBytes: 32 * MIB, sharesEqualPairs: false, scoreCacheBytes: 0 },
  "+ shared pairs": { tokenCacheBytes: 32 * MIB, sharesEqualPairs: true, scoreCacheBytes: 0 },
  "+ scores, cold": { tokenCacheBytes: 32 * MIB, sharesEqualPairs: true, scoreCacheBytes: 8 * MIB },
};
const WARM = "+ scores, warm";

/** Draws with chance 1/rank: Zipf's law with exponent 1. */
function zipf<T>(items: readonly T[], random: () => number): () => T {
  const sums: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= items.length; rank += 1) sums.push((total += 1 / rank));
  return () => {
    const at = random() * total;
    const item = items[sums.findIndex((sum) => sum > at)];
    if (item === undefined) throw new RangeError("nothing to draw from");
    return item;
  };
}

function drawJobs(count: number): Job[] {
  const random = seededRandom(SEED);
  const collection = readCollection();
  const queries = shuffled(
    collection.map(({ query }) => query),
    random,
  );
  const documents = shuffled([...new Set(collection.flatMap((one) => one.documents))], random);
  const [drawQuery, drawDocument] = [zipf(queries, random), zipf(documents, random)];
  return Array.from({ length: count }, () => {
    const drawn = new Set<string>();
    while (drawn.size < DOCUMENTS) drawn.add(drawDocument());
    return { query: drawQuery(), documents: [...drawn] };
  });
}

async function scoreAll(
  redisUrl: string,
  modelFolder: string,
  jobs: readonly Job[],
  options: ReuseOptions,
  name: string,
): Promise<Sample> {
  const child = fork(new URL("worker.ts", import.meta.url), { execArgv: ["--import", "tsx"] });
  const request: StartWorker = {
    ...options,
    redisUrl,
    modelFolder,
    precision: "int8",
    lanes: LANES,
  };
  child.send(request satisfies ToWorker);
  await once(child, "message");
  const client = await createClient({ redisUrl });
  const started = performance.now();
  const rankings = await Promise.all(
    jobs.map(async ({ query, documents }, index) => {
      const job = await client.enqueue({
        model: MODEL,
        id: `${name}-${index}`,
        query,
        documents,
        maxLength: MAX_LENGTH,
        priority: "bulk",
      });
      return await job.result({ timeoutMs: RESULT_TIMEOUT_MS });
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  await client.close();
  child.send("stop" satisfies ToWorker);
  const [reuse] = (await once(child, "message")) as [FromWorker];
  await once(child, "exit");
  if (reuse === "ready") throw new Error("the worker did not stop");
  const logits = JSON.stringify(
    rankings.map(({ results }) => results.map(({ index, logit }) => [index, logit])),
  );
  return { seconds, reuse, logits };
}

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      models: { type: "string" },
      repetitions: { type: "string" },
      jobs: { type: "string" },
    },
  });
  const models = modelsFolder(values.models);
  const modelFolder = join(models, MODEL);
  const missing =
    missingCollection() ?? (existsSync(modelFolder) ? undefined : `no ${MODEL} in ${models}`);
  if (missing !== undefined) {
    say(missing);
    return 1;
  }
  const repetitions = Number(values.repetitions ?? 3);
  const jobs = drawJobs(Number(values.jobs ?? 60));
  print(`${describeHost()}\n`);
  const samples = new Map<string, Sample[]>();
  const random = seededRandom(SEED);
  const note = (name: string, sample: Sample): void => {
    samples.set(name, [...(samples.get(name) ?? []), sample]);
    say(`${name}: ${sample.seconds.toFixed(2)} s ${JSON.stringify(sample.reuse)}`);
  };
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    for (const [name, options] of shuffled(Object.entries(WAYS), random)) {
      const redis = await startRedis("redis-server");
      const score = (id: string): Promise<Sample> =>
        scoreAll(urlOf(redis), modelFolder, jobs, options, id);
      note(name, await score("first"));
      if (options.scoreCacheBytes > 0) note(WARM, await score("second"));
      await redis.stop();
    }
  }
  return report(jobs, samples);
}

function share(part = 0, whole = 0): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(0)} %`;
}

function report(jobs: readonly Job[], samples: ReadonlyMap<string, readonly Sample[]>): number {
  const pairs = jobs.flatMap(({ query, documents }) => documents.map((one) => `${query}\n${one}`));
  const texts = jobs.flatMap(({ query, documents }) => [query, ...documents]);
  print(
    `${jobs.length} jobs of ${DOCUMENTS} documents, all in flight, ${MAX_LENGTH} tokens at most: ${pairs.length} pairs, ${new Set(pairs).size} of them different; ${texts.length} texts, ${new Set(texts).size} different\n`,
  );
  const base = samples.get("nothing") ?? [];
  const rows = WAYS_IN_ORDER.map((name) => {
    const list = samples.get(name) ?? [];
    const seconds = list.map((sample) => sample.seconds);
    // Each against the first way of its own repetition: the machine's load differs between them.
    const ratios = list.map((sample, i) => (base[i]?.seconds ?? Number.NaN) / sample.seconds);
    const reuse = list[0]?.reuse;
    return [
      name,
      median(seconds).toFixed(2),
      median(ratios).toFixed(2),
      `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
      share(reuse?.tokenHits, (reuse?.tokenHits ?? 0) + (reuse?.tokenMisses ?? 0)),
      share(reuse?.sharedPairs, pairs.length),
      share(reuse?.scoreHits, pairs.length),
    ];
  });
  printTable(
    ["way", "seconds", "times as fast", "of each repetition", "texts known", "shared", "cached"],
    rows,
  );
  const all = [...samples.values()].flat();
  const same = all.every(({ logits }) => logits === all[0]?.logits);
  print(same ? "All rankings are equal to the bit." : "Rankings differ.");
  return same ? 0 : 1;
}

const WAYS_IN_ORDER = [...Object.keys(WAYS), WARM];

/**
 * The weight of the image for CPUs and its speed: sizes and layers, building, from `docker run` to
 * ready, memory of replicas that share a prepared model, and pairs per second of one and two.
 */
import { randomUUID } from "node:crypto";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { createClient } from "../../../src/app/client/client.js";
import { docker, dockerAnswers, tryDocker } from "../../containers/support/docker.js";
import { SeededRandom } from "../../support/random.js";
import type { Bench } from "../support/bench.js";
import { openToContainers } from "../support/container-places.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import { startRedis } from "../support/redis.js";
import { measureImage, timeBuild } from "./image.js";
import { startReplica, type Replica, type ReplicaOptions } from "./replica.js";

const USAGE = `containers: the image's size and layers, building, starting, memory and speed of replicas
  --image NAME    default rankmill:cpu; built if --build is given
  --build         measure building too, cold and warm
  --models DIR    synthetic models, one folder each (RANKMILL_BENCH_MODELS)
  --repetitions N starts of each model, default 3
  --parts A,B,…   these alone: image, starts, memory, speed`;

const MB = 1e6;
const MIB = 1024 * 1024;
const REPLICAS = [1, 2, 4] as const;
const SPEED_REPLICAS = [1, 2] as const;
const DOCUMENTS_A_JOB = 20;
const JOBS_IN_FLIGHT = 64;
/** About as many tokens as a query with a passage has. */
const WORDS_A_DOCUMENT = 90;
const WORDS = "cell protein blood bone risk cancer drug patient effect gene trial dose".split(" ");

interface Served {
  readonly label: string;
  readonly model: string;
  readonly precision: string;
  /** Measured for speed with this many jobs; not at all if absent. */
  readonly jobs?: number;
}

function servedModels(models: string): Served[] {
  const minilm = join(models, "minilm-l6");
  const v2m3 = join(models, "bge-reranker-v2-m3");
  return [
    { label: "builtin-bm25", model: "builtin-bm25", precision: "fp32", jobs: 400 },
    { label: "MiniLM-L6 int8", model: minilm, precision: "int8", jobs: 40 },
    { label: "bge-reranker-v2-m3 int8", model: v2m3, precision: "int8" },
  ];
}

async function run(args: readonly string[]): Promise<number> {
  if (!dockerAnswers) {
    say("the containers bench runs containers, and no Docker API answers");
    return 2;
  }
  const { values } = parseArgs({
    args: [...args],
    options: {
      image: { type: "string", default: "rankmill:cpu" },
      build: { type: "boolean", default: false },
      models: { type: "string", default: process.env["RANKMILL_BENCH_MODELS"] ?? "/tmp/synth" },
      repetitions: { type: "string", default: "3" },
      parts: { type: "string", default: "image,starts,memory,speed" },
    },
  });
  print(`${describeHost()}\n`);
  if (values.build) await printBuild(values.image);
  const parts = new Set(values.parts.split(","));
  if (parts.has("image")) await printImage(values.image);
  const redis = await startRedis("redis-server");
  await openToContainers(redis);
  const cache = `rankmill-bench-${randomUUID()}`;
  await docker(["volume", "create", cache]);
  const redisSocket = redis.connection.path;
  const common = { image: values.image, cache, redisSocket, redisFolder: dirname(redisSocket) };
  try {
    const served = servedModels(values.models);
    if (parts.has("starts")) await printStarts(served, common, Number(values.repetitions));
    if (parts.has("memory")) await printMemory(served, common);
    if (parts.has("speed")) await printSpeed(served, common);
  } finally {
    await tryDocker(["volume", "rm", cache]);
    await redis.stop();
  }
  return 0;
}

function mb(bytes: number | undefined): string {
  return bytes === undefined ? "–" : (bytes / MB).toFixed(1);
}

type Common = Omit<ReplicaOptions, "model" | "precision">;

async function printBuild(image: string): Promise<void> {
  say("building, twice");
  const cold = await timeBuild(image, false);
  const warm = await timeBuild(image, true);
  printTable(
    ["build", "seconds"],
    [
      ["without a cache", cold.toFixed(0)],
      ["nothing changed", warm.toFixed(0)],
    ],
  );
}

async function printImage(image: string): Promise<void> {
  say(`measuring ${image}`);
  const size = await measureImage(image);
  printTable(
    ["image", "MB", "gzip MB", "zstd -19 MB", "layers"],
    [[image, mb(size.bytes), mb(size.gzipBytes), mb(size.zstdBytes), String(size.layers.length)]],
  );
  printTable(
    ["layer", "MB", "gzip MB", "largest folders, MB"],
    size.layers.map((layer, index) => [
      String(index + 1),
      mb(layer.bytes),
      mb(layer.gzipBytes),
      layer.folders.map(([folder, bytes]) => `${folder} ${mb(bytes)}`).join(", "),
    ]),
  );
}

async function printStarts(
  served: readonly Served[],
  common: Common,
  repetitions: number,
): Promise<void> {
  const rows: string[][] = [];
  for (const { label, model, precision } of served) {
    say(`starting ${label}`);
    const starts: Replica[] = [];
    for (let at = 0; at <= repetitions; at += 1) {
      const replica = await startReplica({ ...common, model, precision });
      await replica.container.remove();
      starts.push(replica);
    }
    const [first, ...others] = starts;
    const seconds = others.map(({ readySeconds }) => readySeconds);
    const cpu = others.map(({ readyCpuSeconds }) => readyCpuSeconds);
    rows.push([
      label,
      first?.readySeconds.toFixed(1) ?? "",
      `${Math.min(...seconds).toFixed(1)} – ${Math.max(...seconds).toFixed(1)}`,
      `${Math.min(...cpu).toFixed(1)} – ${Math.max(...cpu).toFixed(1)}`,
    ]);
  }
  printTable(
    [
      "docker run → ready, one core",
      "first, which prepares, s",
      "prepared, s",
      "processor time of it, s",
    ],
    rows,
  );
}

async function printMemory(served: readonly Served[], common: Common): Promise<void> {
  const rows: string[][] = [];
  for (const { label, model, precision } of served) {
    say(`memory of ${label}`);
    const replicas: Replica[] = [];
    try {
      for (const count of REPLICAS) {
        while (replicas.length < count) {
          replicas.push(await startReplica({ ...common, model, precision }));
        }
        const held = replicas.map(({ container }) => container.proportional);
        const bytes = held.reduce((sum, one) => sum + one.bytes, 0);
        const files = held.reduce((sum, one) => sum + one.fileBytes, 0);
        rows.push([
          label,
          String(count),
          (bytes / MIB).toFixed(0),
          (files / MIB).toFixed(0),
          ((bytes - files) / count / MIB).toFixed(0),
        ]);
      }
    } finally {
      await Promise.all(replicas.map(({ container }) => container.remove()));
    }
  }
  printTable(
    ["proportional memory", "replicas", "MiB, all", "of it files, shared", "each, own"],
    rows,
  );
}

async function printSpeed(served: readonly Served[], common: Common): Promise<void> {
  const rows: string[][] = [];
  for (const { label, model, precision, jobs } of served) {
    if (jobs === undefined) continue;
    for (const count of SPEED_REPLICAS) {
      say(`${count} × ${label}`);
      const replicas: Replica[] = [];
      try {
        for (let at = 0; at < count; at += 1) {
          replicas.push(await startReplica({ ...common, model, precision }));
        }
        const before = cpuOf(replicas);
        const seconds = await scoreJobs(common.redisSocket, basename(model), jobs * count);
        const pairs = jobs * count * DOCUMENTS_A_JOB;
        const cpu = cpuOf(replicas) - before;
        rows.push([
          label,
          String(count),
          String(pairs),
          (pairs / seconds).toFixed(0),
          (pairs / cpu).toFixed(0),
        ]);
      } finally {
        await Promise.all(replicas.map(({ container }) => container.remove()));
      }
    }
  }
  printTable(
    ["one core each", "replicas", "pairs", "pairs/s", "pairs a second of processor time"],
    rows,
  );
}

function cpuOf(replicas: readonly Replica[]): number {
  return replicas.reduce((sum, { container }) => sum + container.cpuSeconds, 0);
}

/** @returns seconds from the first job to the last ranking */
async function scoreJobs(redisSocket: string, model: string, jobs: number): Promise<number> {
  const random = new SeededRandom(11);
  const text = (words: number): string =>
    Array.from({ length: words }, () => random.pick(WORDS)).join(" ");
  // No two runs enqueue equal jobs, which would be done already.
  const salt = randomUUID();
  const client = await createClient({ redisUrl: `unix://${redisSocket}` });
  try {
    let next = 0;
    const feed = async (): Promise<void> => {
      for (let index = next++; index < jobs; index = next++) {
        const documents = Array.from({ length: DOCUMENTS_A_JOB }, () => text(WORDS_A_DOCUMENT));
        const job = await client.enqueue({
          model,
          id: `${salt}-${index}`,
          query: text(6),
          documents,
        });
        await job.result({ timeoutMs: 600_000 });
      }
    };
    const started = performance.now();
    await Promise.all(Array.from({ length: JOBS_IN_FLIGHT }, feed));
    return (performance.now() - started) / 1_000;
  } finally {
    await client.close();
  }
}

export const containersBench: Bench = { usage: `  ${USAGE}`, run };

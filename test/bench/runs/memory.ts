import { mkdtemp, rm } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { connectRedis } from "../../../src/redis/connection.js";
import { RunStore } from "../../../src/redis/run-store.js";
import { Bench as Processes, type RunningCli } from "../../support/cli.js";
import { lanesOf } from "../../support/processes.js";
import { writeFreeModel } from "../jobs/free-model.js";
import { say } from "../support/print.js";
import { startRedis, urlOf } from "../support/redis.js";
import { peakResidentBytes, residentBytes } from "../support/resident.js";
import { writeInput, type Shape } from "./input.js";
import type { RedisClient } from "../../../src/redis/redis-client.js";

/** The memory that a run of any size may take. */
const OWNER_LIMIT_MB = 200;
const REDIS_LIMIT_MB = 256;

const SAMPLE_MS = 250;
/** The first tokens are enough for a model that only counts them. */
const MAX_LENGTH = 32;
const QUARTERS = [0.25, 0.5, 0.75, 1] as const;

export const MEMORY_HEAD = [
  "jobs",
  "documents a job",
  "pairs",
  "rankings",
  "seconds",
  "pairs/s",
  "owner peak MB",
  "Redis peak above start MB",
  "worker peak MB",
  "worker at quarters MB",
  "owner at quarters MB",
  "lanes peak MB, each",
  "submit peak MB",
] as const;

/** One run of real processes: `submit --spool`, `runner`, `worker` and a `redis-server`. */
export async function measureMemory(shape: Shape): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "rankmill-bench-"));
  const model = join(folder, "free");
  const input = join(folder, "in.jsonl");
  const spool = join(folder, "spool");
  await writeFreeModel(model);
  await writeInput(input, shape);
  const server = await startRedis("redis-server");
  const url = urlOf(server);
  const redis = await connectRedis({ url }, () => undefined);
  const processes = await Processes.open({ REDIS_URL: url, RANKMILL_SPOOL: spool });
  try {
    const worker = await processes.worker(["--model", model, "--log-level", "info"]);
    const before = await memoryOf(redis, "used_memory");
    const maxLength = String(MAX_LENGTH);
    const submitting = processes.start([
      "submit",
      "--model",
      model,
      "--input",
      input,
      "--max-length",
      maxLength,
    ]);
    const submitPeak = await peakUntilExit(submitting);
    const exit = await submitting.exited;
    if (exit.code !== 0) throw new Error(exit.stderr);
    const run = exit.stdout.trim();
    say(`  submitted ${run}`);
    const started = performance.now();
    const runner = processes.start(["runner"]);
    const quarters = await watch(run, new RunStore(redis), shape.jobs, () => {
      if (!runner.running || !worker.running) throw new Error(runner.said + worker.said);
      return [residentBytes(worker.pid), residentBytes(runner.pid)];
    });
    const seconds = (performance.now() - started) / 1000;
    const owner = peakResidentBytes(runner.pid);
    const redisPeak = (await memoryOf(redis, "used_memory_peak")) - before;
    const lanes = lanesOf(worker.pid).map(({ pid }) => peakResidentBytes(pid));
    const ranked = await distinctRankings(join(spool, run, "output.jsonl"));
    if (ranked !== shape.jobs) throw new Error(`${ranked} rankings of ${shape.jobs}`);
    if (owner > OWNER_LIMIT_MB * 1e6) say(`  owner is over its limit of ${OWNER_LIMIT_MB} MB`);
    if (redisPeak > REDIS_LIMIT_MB * 1e6) say(`  Redis is over its limit of ${REDIS_LIMIT_MB} MB`);
    const pairs = shape.jobs * shape.documents;
    return [
      String(shape.jobs),
      String(shape.documents),
      String(pairs),
      String(ranked),
      seconds.toFixed(0),
      (pairs / seconds).toFixed(0),
      mb(owner),
      mb(redisPeak),
      mb(peakResidentBytes(worker.pid)),
      quarters.map(([bytes = 0]) => mb(bytes)).join(" "),
      quarters.map(([, bytes = 0]) => mb(bytes)).join(" "),
      lanes.map(mb).join(" "),
      mb(submitPeak),
    ];
  } finally {
    redis.disconnect();
    await processes.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

async function memoryOf(
  redis: RedisClient,
  field: "used_memory" | "used_memory_peak",
): Promise<number> {
  const [, bytes] = new RegExp(`^${field}:(\\d+)`, "m").exec(await redis.info("memory")) ?? [];
  return Number(bytes);
}

async function peakUntilExit(cli: RunningCli): Promise<number> {
  let peak = 0;
  while (cli.running) {
    peak = Math.max(peak, peakResidentBytes(cli.pid));
    await sleep(SAMPLE_MS);
  }
  return peak;
}

/** Waits for the run's end. @returns what `sample` gave when each quarter was done */
async function watch(
  run: string,
  store: RunStore,
  total: number,
  sample: () => readonly number[],
): Promise<(readonly number[])[]> {
  const quarters: (readonly number[])[] = [];
  for (;;) {
    const now = sample();
    const { counts } = await store.readProgress(run);
    if (counts.failed > 0) throw new Error(`${counts.failed} records failed`);
    while (counts.done >= total * (QUARTERS[quarters.length] ?? Infinity)) {
      quarters.push(now);
      say(`  ${counts.done} of ${total}`);
    }
    if ((await store.find(run))?.state === "complete") return quarters;
    await sleep(SAMPLE_MS);
  }
}

async function distinctRankings(path: string): Promise<number> {
  const ids = new Set<string>();
  let lines = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    ids.add((JSON.parse(line) as { id: string }).id);
    lines += 1;
  }
  if (ids.size !== lines) throw new Error(`${lines - ids.size} rankings twice`);
  return lines;
}

import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import process from "node:process";
import { Redis } from "ioredis";
import type { Bench } from "../support/bench.js";
import { processSeconds } from "../support/processor-time.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import { startRedis } from "../support/redis.js";
import { median, seededRandom, shuffled } from "../support/statistics.js";
import { makeRecords, type Load } from "./load.js";
import { openOurs, openRaw, type Way } from "./ways.js";

const USAGE = `queue: jobs per second of queue and storage alone, beside raw BullMQ
  --only A,B,…       of 1KB, 11KB, 250KB
  --repetitions N    of each way, in turn (7)`;

export const queueBench: Bench = { usage: USAGE, run };

const LOADS: readonly Load[] = [
  { name: "1KB", jobs: 20_000, documents: 2 },
  { name: "11KB", jobs: 8_000, documents: 20 },
  { name: "250KB", jobs: 400, documents: 500 },
];
const SEED = 16;
const WAYS = ["ours", "raw", "raw-stored"] as const;
const NAMES = {
  ours: "rankmill",
  raw: "BullMQ, results in events",
  "raw-stored": "BullMQ, results stored",
} as const;
const CONSUMER = fileURLToPath(new URL("consumer-process.ts", import.meta.url));

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: "string" }, repetitions: { type: "string", default: "7" } },
  });
  const only = values.only?.split(",");
  const repetitions = Number(values.repetitions);
  print(`${describeHost()}\n`);
  const rows: string[][] = [];
  for (const load of LOADS) {
    if (only?.includes(load.name) === false) continue;
    say(`${load.jobs} jobs of ${load.name}`);
    rows.push(...(await compare(load, repetitions)));
  }
  printTable(
    [
      "request",
      "way",
      "jobs",
      "jobs/s",
      "MB/s",
      "processor ms a job",
      "rankmill is",
      "of each repetition",
    ],
    rows,
  );
  return 0;
}

type WayName = (typeof WAYS)[number];

interface Spent {
  readonly seconds: number;
  readonly processorSeconds: number;
}

/** All ways in turn on one server, so that what else the machine does meets each. */
async function compare(load: Load, repetitions: number): Promise<string[][]> {
  const server = await startRedis("redis-server");
  const { path } = server.connection;
  const consumers = new Map<WayName, ChildProcess>();
  const ways = new Map<WayName, Way>();
  const spent = new Map<WayName, Spent[]>(WAYS.map((name) => [name, []]));
  const redisPid = await pidOf(path);
  const random = seededRandom(SEED);
  let requestBytes = 0;
  try {
    for (const name of WAYS) {
      consumers.set(name, await startConsumer(name, path));
      ways.set(name, name === "ours" ? openOurs(path) : await openRaw(path, name === "raw-stored"));
    }
    // The first, of each, warms up.
    for (let repetition = 0; repetition <= repetitions; repetition += 1) {
      for (const name of shuffled(WAYS, random)) {
        const records = makeRecords(load, `${name}-${repetition}`);
        requestBytes = records.reduce((sum, { bytes }) => sum + bytes, 0);
        const pids = [process.pid, consumers.get(name)?.pid ?? 0, redisPid];
        const processor = (): number => pids.reduce((sum, pid) => sum + processSeconds(pid), 0);
        const [started, before] = [performance.now(), processor()];
        await ways.get(name)?.through(records);
        const seconds = (performance.now() - started) / 1000;
        say(`  ${name} ${seconds.toFixed(2)} s`);
        if (repetition === 0) continue;
        spent.get(name)?.push({ seconds, processorSeconds: processor() - before });
      }
    }
  } finally {
    for (const way of ways.values()) await way.close();
    for (const consumer of consumers.values()) consumer.kill("SIGKILL");
    await server.stop();
  }
  const secondsOf = (name: WayName): number[] => (spent.get(name) ?? []).map((one) => one.seconds);
  return WAYS.map((name) => {
    const seconds = median(secondsOf(name));
    const processorSeconds = median((spent.get(name) ?? []).map((one) => one.processorSeconds));
    const ratios = secondsOf("ours").map((ours, i) => (secondsOf(name)[i] ?? 0) / ours);
    return [
      load.name,
      NAMES[name],
      String(load.jobs),
      (load.jobs / seconds).toFixed(0),
      (requestBytes / seconds / 1e6).toFixed(1),
      ((1000 * processorSeconds) / load.jobs).toFixed(2),
      median(ratios).toFixed(2),
      ratios.map((ratio) => ratio.toFixed(2)).join(" "),
    ];
  });
}

async function pidOf(path: string): Promise<number> {
  const redis = new Redis(path);
  const [, pid] = /^process_id:(\d+)/m.exec(await redis.info("server")) ?? [];
  redis.disconnect();
  return Number(pid);
}

async function startConsumer(way: WayName, path: string): Promise<ChildProcess> {
  const child = fork(CONSUMER, [way, path], { execArgv: ["--import", "tsx"] });
  await once(child, "message");
  return child;
}

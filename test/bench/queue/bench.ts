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
import { median } from "../support/statistics.js";
import { makeRecords, type Load } from "./load.js";
import { openOurs, openRaw } from "./ways.js";

const USAGE = `queue: jobs per second of queue and storage alone, beside raw BullMQ
  --only A,B,…       of 1KB, 11KB, 250KB
  --repetitions N    of each way, in turn (7)`;

export const queueBench: Bench = { usage: USAGE, run };

const LOADS: readonly Load[] = [
  { name: "1KB", jobs: 5_000, documents: 2 },
  { name: "11KB", jobs: 3_000, documents: 20 },
  { name: "250KB", jobs: 200, documents: 500 },
];
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
    rows.push(await compare(load, repetitions));
  }
  printTable(
    [
      "request",
      "jobs",
      "rankmill jobs/s",
      "raw jobs/s",
      "rankmill MB/s",
      "raw MB/s",
      "rankmill processor ms a job",
      "raw processor ms a job",
      "ratio",
      "ratio by processor time",
      "ratios",
    ],
    rows,
  );
  return 0;
}

/** Both ways in turn on one server, so that what else the machine does meets both. */
async function compare(load: Load, repetitions: number): Promise<string[]> {
  const server = await startRedis("redis-server");
  const { path } = server.connection;
  const consumers = {
    ours: await startConsumer("ours", path),
    raw: await startConsumer("raw", path),
  };
  const ways = { ours: openOurs(path), raw: await openRaw(path) };
  const seconds = { ours: [] as number[], raw: [] as number[] };
  const spentSeconds = { ours: [] as number[], raw: [] as number[] };
  const redisPid = await pidOf(path);
  let requestBytes = 0;
  try {
    // The first, of both, warms up.
    for (let repetition = 0; repetition <= repetitions; repetition += 1) {
      for (const name of repetition % 2 === 0
        ? (["ours", "raw"] as const)
        : (["raw", "ours"] as const)) {
        const records = makeRecords(load, `${name}-${repetition}`);
        requestBytes = records.reduce((sum, { bytes }) => sum + bytes, 0);
        const consumer = consumers[name].pid ?? 0;
        const processor = (): number =>
          processSeconds(process.pid) + processSeconds(consumer) + processSeconds(redisPid);
        const [started, spent] = [performance.now(), processor()];
        await ways[name].through(records);
        if (repetition === 0) continue;
        seconds[name].push((performance.now() - started) / 1000);
        spentSeconds[name].push(processor() - spent);
      }
      say(
        `  ${seconds.ours.at(-1)?.toFixed(2) ?? "-"} s, raw ${seconds.raw.at(-1)?.toFixed(2) ?? "-"} s`,
      );
    }
  } finally {
    await ways.ours.close();
    await ways.raw.close();
    for (const consumer of Object.values(consumers)) consumer.kill("SIGKILL");
    await server.stop();
  }
  const [ours, raw] = [median(seconds.ours), median(seconds.raw)];
  const ratios = seconds.ours.map((one, i) => (seconds.raw[i] ?? 0) / one);
  return [
    load.name,
    String(load.jobs),
    (load.jobs / ours).toFixed(0),
    (load.jobs / raw).toFixed(0),
    (requestBytes / ours / 1e6).toFixed(1),
    (requestBytes / raw / 1e6).toFixed(1),
    ((1000 * median(spentSeconds.ours)) / load.jobs).toFixed(2),
    ((1000 * median(spentSeconds.raw)) / load.jobs).toFixed(2),
    median(ratios).toFixed(2),
    (median(spentSeconds.raw) / median(spentSeconds.ours)).toFixed(2),
    ratios.map((ratio) => ratio.toFixed(2)).join(" "),
  ];
}

async function pidOf(path: string): Promise<number> {
  const redis = new Redis(path);
  const [, pid] = /^process_id:(\d+)/m.exec(await redis.info("server")) ?? [];
  redis.disconnect();
  return Number(pid);
}

async function startConsumer(way: "ours" | "raw", path: string): Promise<ChildProcess> {
  const child = fork(CONSUMER, [way, path], { execArgv: ["--import", "tsx"] });
  await once(child, "message");
  return child;
}

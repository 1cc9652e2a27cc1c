import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Bench as Processes, BUILTIN, SAMPLE } from "../../support/cli.js";
import { metricsUrl, pairsScored } from "../../support/metrics.js";
import { multiply, writeRecords } from "../../support/records.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable } from "../support/print.js";
import { startRedis, urlOf } from "../support/redis.js";
import { median } from "../support/statistics.js";

const USAGE = "scrape: what a scrape of a worker's /metrics costs, idle and at work";

export const scrapeBench: Bench = { usage: USAGE, run };

const SCRAPES = 200;
/** At work, so that the scrapes are spread over it. */
const PAUSE_MS = 50;
/** Enough for all scrapes at work. */
const COPIES = 800;
const HIGH_SHARE = 0.99;
/** USER_HZ: fixed at 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

async function run(): Promise<number> {
  print(`${describeHost()}\n`);
  const redis = await startRedis("redis-server");
  const processes = await Processes.open({ REDIS_URL: urlOf(redis) });
  try {
    const args = ["--model", BUILTIN, "--lanes", "1", "--metrics-port", "0"];
    const worker = await processes.worker(args);
    const url = await metricsUrl(worker);
    const idle = await measure("idle", url, worker.pid, 0);
    writeRecords(processes.path("in.jsonl"), multiply(SAMPLE, COPIES));
    await processes.run(["submit", "--model", BUILTIN, "--input", "in.jsonl"]);
    const busy = await measure("at work", url, worker.pid, PAUSE_MS);
    const before = await pairsScored(url);
    if (before === 0) throw new Error("the worker was not at work");
    printTable(
      ["worker", "scrapes", "bytes", "median ms", "99 % ms", "processor ms a scrape"],
      [idle, busy],
    );
  } finally {
    await processes.close();
    await redis.stop();
  }
  return 0;
}

async function measure(name: string, url: string, pid: number, pauseMs: number): Promise<string[]> {
  const took: number[] = [];
  let bytes = 0;
  const ticksBefore = ticksOf(pid);
  for (let i = 0; i < SCRAPES; i += 1) {
    const startedMs = performance.now();
    bytes = (await (await fetch(`${url}/metrics`)).text()).length;
    took.push(performance.now() - startedMs);
    await sleep(pauseMs);
  }
  // At work the processor's time is the work's.
  const ms = (((ticksOf(pid) - ticksBefore) / TICKS_PER_SECOND) * 1_000) / SCRAPES;
  const high = took.sort((a, b) => a - b)[Math.floor(SCRAPES * HIGH_SHARE)] ?? Number.NaN;
  const processor = pauseMs === 0 ? ms.toFixed(1) : "–";
  const times = [median(took), high].map((value) => value.toFixed(1));
  return [name, String(SCRAPES), String(bytes), ...times, processor];
}

/** Figures of the worker's own process, without its lanes. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

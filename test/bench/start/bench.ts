/**
 * The time of a worker from its process's start until it is ready and until its first ranking, and
 * the memory that it takes with pairs of 128 tokens. Models are prepared and calibrated before.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { runtimeOf, type RuntimeKind } from "../../../src/inference/runtime/registry.js";
import { createClient } from "../../../src/index.js";
import { lanesOf } from "../../support/processes.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { DIST, modelsFolder } from "../support/places.js";
import { print, printTable, say } from "../support/print.js";
import { startRedis, urlOf } from "../support/redis.js";
import { median } from "../support/statistics.js";

const USAGE = `  start  from a worker's start to ready and to its first ranking, and its memory
  --models DIR       synthetic models, one folder each (RANKMILL_BENCH_MODELS)
  --runtime NAME     only models that this runtime runs; OpenVINO's folder is RANKMILL_OPENVINO_DIR
  --documents N      pairs that are scored while memory is measured (default 96)
  --repetitions N    starts a model (default 5)`;

interface Case {
  readonly name: string;
  readonly precision: "fp32" | "int8";
  readonly runtime: RuntimeKind;
}

const CASES: readonly Case[] = [
  { name: "builtin", precision: "fp32", runtime: "onnxruntime" },
  { name: "minilm-l6", precision: "int8", runtime: "onnxruntime" },
  { name: "bge-reranker-v2-m3", precision: "int8", runtime: "onnxruntime" },
  { name: "minilm-l6", precision: "fp32", runtime: "openvino" },
  { name: "bge-reranker-v2-m3", precision: "fp32", runtime: "openvino" },
];
const MAX_LENGTH = 128;
/** More words than tokens fit: every pair is cut to the length. */
const DOCUMENT = "the mill turns slowly all day ".repeat(40);
const SAMPLE_INTERVAL_MS = 50;
const RESULT_TIMEOUT_MS = 300_000;
const MIB = 1024 * 1024;

interface Start {
  readonly readyMs: number;
  readonly firstMs: number;
  readonly workerMib: number;
  readonly lanesMib: readonly number[];
}

export const startBench: Bench = { usage: USAGE, run };

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      models: { type: "string" },
      runtime: { type: "string" },
      documents: { type: "string", default: "96" },
      repetitions: { type: "string", default: "5" },
    },
  });
  const folder = modelsFolder(values.models);
  print(`# Start of a worker\n\n${describeHost()}\n`);
  const rows: string[][] = [];
  for (const one of CASES) {
    const { name, precision, runtime } = one;
    if (values.runtime !== undefined && values.runtime !== runtime) continue;
    const model = name === "builtin" ? name : join(folder, name);
    if (name !== "builtin" && !existsSync(model)) {
      say(`${model} is not there: left out`);
      continue;
    }
    const documents = Number(values.documents);
    await startOnce(model, one, documents, "unmeasured");
    const starts: Start[] = [];
    for (let index = 0; index < Number(values.repetitions); index += 1) {
      starts.push(await startOnce(model, one, documents, String(index)));
    }
    rows.push(rowOf(`${name} ${precision}, ${runtimeOf(runtime).name}`, starts));
  }
  const head = [
    "model",
    "ready, s",
    "slowest",
    "first ranking, s",
    "worker, MiB",
    "each lane, MiB",
  ];
  printTable([...head, "together, MiB"], rows);
  return 0;
}

function rowOf(name: string, starts: readonly Start[]): string[] {
  const of = (value: (start: Start) => number): number => median(starts.map(value));
  const lane = (start: Start): number => Math.max(0, ...start.lanesMib);
  const together = (start: Start): number =>
    start.lanesMib.reduce((sum, mib) => sum + mib, start.workerMib);
  return [
    name,
    (of(({ readyMs }) => readyMs) / 1000).toFixed(2),
    (Math.max(...starts.map(({ readyMs }) => readyMs)) / 1000).toFixed(2),
    (of(({ firstMs }) => firstMs) / 1000).toFixed(2),
    of(({ workerMib }) => workerMib).toFixed(0),
    of(lane).toFixed(0),
    of(together).toFixed(0),
  ];
}

/** One worker on a Redis of its own: ready, one job, a job of many pairs under the eyes of the kernel. */
async function startOnce(
  model: string,
  { precision, runtime }: Case,
  documents: number,
  id: string,
): Promise<Start> {
  const redis = await startRedis("redis-server");
  const redisUrl = urlOf(redis);
  const started = performance.now();
  const worker = spawn(
    process.execPath,
    [join(DIST, "producers/cli/main.js"), "worker", "--redis-url", redisUrl].concat([
      "--model",
      model,
      "--precision",
      precision,
      "--runtime",
      runtime,
    ]),
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(worker, "exit");
  try {
    await untilReady(worker.stdout);
    const readyMs = performance.now() - started;
    const client = await createClient({ redisUrl });
    const score = async (name: string, documents: readonly string[]): Promise<void> => {
      const job = await client.enqueue({
        model: model.split("/").at(-1) ?? model,
        id: `${id}-${name}`,
        query: "who turns the mill?",
        documents,
        maxLength: MAX_LENGTH,
      });
      await job.result({ timeoutMs: RESULT_TIMEOUT_MS });
    };
    await score("first", [DOCUMENT]);
    const firstMs = performance.now() - started;
    const many = Array.from({ length: documents }, (_, index) => `${index} ${DOCUMENT}`);
    const memory = await memoryDuring(score("many", many), worker.pid ?? 0);
    await client.close();
    return { readyMs, firstMs, ...memory };
  } finally {
    worker.kill("SIGTERM");
    await exited;
    await redis.stop();
  }
}

async function untilReady(output: NodeJS.ReadableStream): Promise<void> {
  for await (const line of createInterface({ input: output })) {
    if ((JSON.parse(line) as { msg?: string }).msg !== "ready") continue;
    output.resume();
    return;
  }
  throw new Error("rankmill worker ended before it was ready");
}

/** The sample at which all processes together take the most. */
async function memoryDuring(
  work: Promise<void>,
  workerPid: number,
): Promise<Pick<Start, "workerMib" | "lanesMib">> {
  let most = { workerMib: 0, lanesMib: [] as number[] };
  const total = ({ workerMib, lanesMib }: typeof most): number =>
    lanesMib.reduce((sum, mib) => sum + mib, workerMib);
  const over = new AbortController();
  const done = work.finally(() => over.abort());
  while (!over.signal.aborted) {
    const lanesMib = lanesOf(workerPid).map(({ pid }) => proportionalMib(pid));
    const sample = { workerMib: proportionalMib(workerPid), lanesMib };
    if (total(sample) > total(most)) most = sample;
    await Promise.race([done, sleep(SAMPLE_INTERVAL_MS)]);
  }
  await done;
  return most;
}

/** A page that n processes map counts as an nth to each. */
function proportionalMib(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return (Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024) / MIB;
  } catch {
    // It is gone.
    return 0;
  }
}

/**
 * The memory experiment: a worker under a hard memory limit of the kernel, given jobs that are made
 * to exceed it. What counts: that the worker lives, and that every document ends scored or with the
 * reason why not. Then the same with a limit lower than the worker believes, so that the kernel does
 * kill lanes.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createClient, type Client } from "../../../src/client/client.js";
import type { Bench } from "../support/bench.js";
import { print, printTable, say } from "../support/print.js";
import { startRedis, urlOf } from "../support/redis.js";
import { adversarialJobs, type AdversarialJob, type AdversarialMix } from "./adversarial.js";
import { LimitedWorker } from "./limited-worker.js";
import { canLimitMemory, MemoryGroup } from "./memory-group.js";

const MIB = 1024 * 1024;
const JOBS_IN_FLIGHT = 64;
const JOB_TIMEOUT_MS = 1_800_000;
const SAMPLE_MS = 100;

interface Experiment {
  readonly name: string;
  readonly model: string;
  readonly limitMib: number;
  /** What the worker is told in place of the truth. */
  readonly believedMib?: number;
  readonly mix: AdversarialMix;
  readonly args: readonly string[];
}

interface Outcome {
  readonly pairs: number;
  readonly scored: number;
  readonly explained: number;
  readonly failedJobs: number;
  readonly reasons: ReadonlyMap<string, number>;
}

function experiments(models: string, quick: boolean): Experiment[] {
  const scale = quick ? 10 : 1;
  return [
    {
      name: "adversarial",
      model: join(models, "minilm-l6"),
      limitMib: 900,
      mix: {
        pairs: 10_000 / scale,
        longShare: 0.08,
        maxLength: 512,
        hugeDocuments: 40,
        wideJobs: quick ? 0 : 4,
      },
      args: ["--precision", "int8"],
    },
    {
      name: "8,192 tokens",
      model: join(models, "bge-reranker-v2-m3"),
      limitMib: 3_000,
      mix: {
        pairs: quick ? 10 : 40,
        longShare: 0.05,
        maxLength: 8_192,
        hugeDocuments: 1,
        wideJobs: 0,
      },
      args: ["--precision", "int8"],
    },
    {
      name: "2,048 tokens",
      model: join(models, "bge-reranker-v2-m3"),
      limitMib: 3_000,
      mix: {
        pairs: quick ? 10 : 40,
        longShare: 0.1,
        maxLength: 2_048,
        hugeDocuments: 0,
        wideJobs: 0,
      },
      args: ["--precision", "int8"],
    },
    {
      name: "lanes killed",
      model: join(models, "minilm-l6"),
      limitMib: 560,
      believedMib: 4_000,
      mix: { pairs: 2_000 / scale, longShare: 0.3, maxLength: 512, hugeDocuments: 4, wideJobs: 0 },
      // Batches that the true limit does not hold.
      args: ["--precision", "fp32", "--max-batch-size", "32", "--max-batch-tokens", "16384"],
    },
  ];
}

async function score(
  client: Client,
  model: string,
  jobs: readonly AdversarialJob[],
): Promise<Outcome> {
  const reasons = new Map<string, number>();
  const outcome = { pairs: 0, scored: 0, explained: 0, failedJobs: 0, reasons };
  const count = (code: string, documents: number): void => {
    reasons.set(code, (reasons.get(code) ?? 0) + documents);
    outcome.explained += documents;
  };
  let next = 0;
  const feed = async (): Promise<void> => {
    for (;;) {
      const index = next;
      next += 1;
      const job = jobs[index];
      if (job === undefined) return;
      outcome.pairs += job.documents.length;
      try {
        const enqueued = await client.enqueue({ ...job, model, id: `job-${index}` });
        const ranking = await enqueued.result({ timeoutMs: JOB_TIMEOUT_MS });
        outcome.scored += ranking.results.length;
        for (const { code } of ranking.errors) count(code, 1);
      } catch (error) {
        outcome.failedJobs += 1;
        count((error as { code?: string }).code ?? "unknown", job.documents.length);
      }
    }
  };
  await Promise.all(Array.from({ length: JOBS_IN_FLIGHT }, feed));
  return outcome;
}

async function experiment(
  one: Experiment,
  folders: { readonly prepared: string; readonly calibration: string },
): Promise<{ readonly row: readonly string[]; readonly good: boolean }> {
  say(`${one.name}: ${one.mix.pairs} pairs under ${one.limitMib} MiB`);
  const redis = await startRedis("redis-server");
  const group = new MemoryGroup(`rankmill-bench-${process.pid}`, one.limitMib * MIB);
  const started = performance.now();
  let worker: LimitedWorker | undefined;
  let client: Client | undefined;
  let held = 0;
  const sampling = setInterval(() => {
    held = Math.max(held, group.heldBytes);
  }, SAMPLE_MS);
  try {
    worker = await LimitedWorker.start(group, urlOf(redis), [
      "--model",
      one.model,
      ...one.args,
      "--prepared-dir",
      folders.prepared,
      "--calibration-dir",
      folders.calibration,
      ...(one.believedMib === undefined
        ? []
        : ["--memory-limit-bytes", String(one.believedMib * MIB)]),
    ]);
    client = await createClient({ redisUrl: urlOf(redis) });
    const name = one.model.split("/").at(-1) ?? one.model;
    const outcome = await score(client, name, adversarialJobs(one.mix));
    const workerKilled = !worker.alive;
    const why = [...outcome.reasons].map(([code, count]) => `${code} ${count}`).join(", ");
    const { laneDeaths, laneReplacements, budgetLowered } = worker.counts;
    const good = !workerKilled && outcome.scored + outcome.explained === outcome.pairs;
    const seconds = (performance.now() - started) / 1_000;
    return {
      good,
      row: [
        one.name,
        `${name} ${one.args[1] ?? ""}`,
        String(one.limitMib),
        String(Math.ceil(held / MIB)),
        String(Math.ceil(group.peakBytes / MIB)),
        String(group.kills),
        String(laneDeaths),
        String(laneReplacements),
        String(budgetLowered),
        workerKilled ? "1" : "0",
        String(outcome.pairs),
        String(outcome.scored),
        `${outcome.explained}${why === "" ? "" : ` (${why})`}`,
        seconds.toFixed(0),
      ],
    };
  } finally {
    clearInterval(sampling);
    await client?.close();
    await worker?.stop();
    await group.remove();
    await redis.stop();
  }
}

const HEAD = [
  "experiment",
  "model",
  "limit MiB",
  "processes' peak MiB",
  "peak with page cache MiB",
  "kernel kills",
  "lanes died",
  "lanes replaced",
  "budget lowered",
  "worker kills",
  "pairs",
  "scored",
  "explained",
  "seconds",
];

function valueOf(args: readonly string[], flag: string): string | undefined {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args[at + 1];
}

async function run(args: readonly string[]): Promise<number> {
  if (!canLimitMemory()) {
    say("the memory bench makes control groups and needs root on Linux");
    return 2;
  }
  const models = process.env["RANKMILL_BENCH_MODELS"] ?? "/tmp/synth";
  const quick = args.includes("--quick");
  const only = valueOf(args, "--only");
  const limitMib = Number(valueOf(args, "--limit-mib"));
  const folder = await mkdtemp(join(tmpdir(), "rankmill-memory-bench-"));
  const folders = {
    prepared: process.env["RANKMILL_PREPARED_DIR"] ?? join(folder, "prepared"),
    calibration: join(folder, "calibration"),
  };
  const rows: (readonly string[])[] = [];
  let good = true;
  try {
    for (const one of experiments(models, quick)) {
      if (only !== undefined && one.name !== only) continue;
      const limited = Number.isNaN(limitMib) ? one : { ...one, limitMib };
      const done = await experiment(limited, folders);
      good &&= done.good;
      rows.push(done.row);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  printTable(HEAD, rows);
  print(good ? "every worker lived, every document was scored or explained" : "FAILED");
  return good ? 0 : 1;
}

export const memoryBench: Bench = {
  usage:
    "  memory [--quick] [--only NAME] [--limit-mib N]\n      a worker under the kernel's memory limit and jobs made to exceed it; needs root",
  run,
};

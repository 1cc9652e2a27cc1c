import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import type { Precision } from "../../../src/core/precision.js";
import { PLAIN_HEAD } from "../../../src/core/heads/head-use.js";
import { partsFor, type Prompt } from "../../../src/core/prompt.js";
import { readProcessorMs } from "../../../src/inference/host/processor-time.js";
import { LanePool } from "../../../src/inference/lanes/lane-pool.js";
import { prepareModel } from "../../../src/inference/prepare/prepare-model.js";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../../src/pipeline/batch/batcher.js";
import { withFileLease } from "../../../src/platform/file-lease.js";
import { until } from "../../support/until.js";
import { DIST, REPOSITORY } from "../support/places.js";
import { onnxOf, type List } from "./lists.js";

/** A way to score lists: each list's pairs at once, all lists at once. */
export interface Way {
  readonly name: string;
  score(lists: readonly List[]): Promise<Scored>;
  /** Memory of a lane's own, in bytes, and the part of it that holds prefixes. */
  memory(): { readonly laneBytes: number; readonly prefixBytes: number } | undefined;
  close(): Promise<void>;
}

export interface Scored {
  readonly seconds: number;
  /** Time that processors worked for it: other programs on the machine change it little. */
  readonly processorSeconds: number;
  readonly logits: readonly number[];
}

export interface LanesOptions {
  readonly name: string;
  readonly folder: string;
  readonly precision: Precision;
  readonly lanes: number;
  readonly sharesPrefixes: boolean;
  readonly prefixBytes: number;
  readonly cacheDir: string;
}

const NEVER = new AbortController().signal;
/** As a worker batches on a CPU: rows of one length, a few hundred tokens. */
const LIMITS = { maxBatchTokens: 512, maxBatchSize: 8, maxPaddingTokens: 0 };
const LANE_ENTRY = join(DIST, "workers/lane.js");
const PREPARE_ENTRY = join(DIST, "workers/prepare.js");

/** Lanes of one thread behind a batcher, on the prepared model, as a worker has them. */
export async function openLanes(options: LanesOptions): Promise<Way> {
  const { precision, folder, lanes, sharesPrefixes } = options;
  const batcher = new Batcher({ ...DEFAULT_BATCHER_OPTIONS, limits: LIMITS, sharesPrefixes });
  const { onnxPath, unmasked, exactInt8 } = await prepared(options, onnxOf(folder, precision));
  const pool = new LanePool(batcher, {
    lanes,
    entryPath: LANE_ENTRY,
    env: process.env,
    model: {
      onnxPath,
      unmasked,
      prepared: true,
      exactInt8,
      padId: 0,
      segmentTypeIds: false,
      device: "cpu",
      intraOpThreads: 1,
      head: PLAIN_HEAD,
      prefixBytes: options.prefixBytes,
    },
    deadlineMs: () => 600_000,
    onEvent: () => undefined,
  });
  await pool.start();
  await until("all lanes", () => pool.lanes.length === lanes);
  // Lanes are nicer than other programs; here all ways are to get as much of a busy machine.
  for (const { pid } of pool.lanes) setPriority(pid, getPriority());
  return {
    name: options.name,
    score: async (lists) => {
      const workedMs = processorMs(pool);
      const started = performance.now();
      const scored = await Promise.all(
        lists.map(({ pairs }) => batcher.score(pairs, "bulk", NEVER)),
      );
      const seconds = (performance.now() - started) / 1_000;
      const processorSeconds = (processorMs(pool) - workedMs) / 1_000;
      const logits = scored.flat().map((one) => (one.status === "scored" ? one.logit : Number.NaN));
      return { seconds, processorSeconds, logits };
    },
    memory: () => ({
      laneBytes: Math.max(...pool.lanes.map(({ residentBytes }) => residentBytes)),
      prefixBytes: Math.max(...pool.lanes.map(({ prefixBytes }) => prefixBytes)),
    }),
    close: () => pool.close(),
  };
}

async function prepared(options: LanesOptions, path: string) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  const data = `${path}_data`;
  return await prepareModel({
    onnxPath: path,
    externalData: existsSync(data) ? [data] : [],
    modelDigest: hash.digest("hex"),
    precision: options.precision,
    form: options.precision === "int8" ? "rows" : undefined,
    head: PLAIN_HEAD,
    cacheDir: options.cacheDir,
    entryPath: PREPARE_ENTRY,
    env: process.env,
    exclusively: (claimed, onWait, work) => withFileLease(claimed, { onWait }, work),
  });
}

function processorMs({ lanes }: LanePool): number {
  return lanes.reduce((sum, { pid }) => sum + (readProcessorMs(pid) ?? Number.NaN), 0);
}

const answerSchema = z.object({
  seconds: z.number(),
  processorSeconds: z.number(),
  logits: z.array(z.number()),
});

/** The same weights in sentence-transformers, in a process that uses all cores for one batch. */
export async function openFramework(
  python: string,
  folder: string,
  threads: number,
  prompt: Prompt,
): Promise<Way> {
  const script = join(REPOSITORY, "test/bench/prefix/framework.py");
  const args = [script, folder, String(threads), chatTemplate(prompt)];
  // Threads that wait do not spin: on a busy machine that would count as work.
  const env = { ...process.env, OMP_WAIT_POLICY: "passive", HF_HUB_OFFLINE: "1" };
  const child = spawn(python, args, { stdio: ["pipe", "pipe", "inherit"], env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`${script} ended`);
    return JSON.parse(line.value);
  };
  await answer();
  return {
    name: "sentence-transformers",
    score: async (lists) => {
      const pairs = lists.flatMap(({ query, documents }) => documents.map((one) => [query, one]));
      child.stdin.write(`${JSON.stringify(pairs)}\n`);
      return answerSchema.parse(await answer());
    },
    memory: () => undefined,
    close: async () => {
      child.stdin.end();
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

/** A prompt as a template of Jinja, with the roles that sentence-transformers gives a pair. */
function chatTemplate(prompt: Prompt): string {
  const { parts, instruction = "" } = partsFor(prompt, undefined);
  return parts
    .map((part) => {
      if ("text" in part) return literal(part.text);
      const filled = part.slot === "instruction" ? literal(instruction) : contentOfRole(part.slot);
      return literal(part.before) + filled + literal(part.after);
    })
    .join("");
}

function literal(text: string): string {
  return `{{ ${JSON.stringify(text)} }}`;
}

function contentOfRole(role: string): string {
  return `{{ messages | selectattr("role", "eq", "${role}") | map(attribute="content") | first }}`;
}

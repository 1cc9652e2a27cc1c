import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Precision } from "../../../src/core/precision.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import { median } from "../support/statistics.js";
import { namedPrompt } from "../../../src/models/known-prompts.js";
import { makeLists, onnxOf, type List, type ListShape } from "./lists.js";
import { openFramework, openLanes, type Way } from "./ways.js";

const USAGE = `prefix: pairs per second of a language model with and without the shared prefix
  --shared DIR       model whose graph takes keys and values (models/export/make-synthetic.py)
  --whole DIR        the same weights with --whole-prompt
  --precision P      fp32 (default) or int8
  --python PATH      interpreter with sentence-transformers, which is then the third way, on the weights
                     in --shared (npm run bench -- peers --set-up DIR)
  --prompt NAME      of models/prompts, as the models have it (qwen3-reranker)
  --documents A,B,…  tokens of a document (64,128,512)
  --lists A,B,…      documents of a query (5,20,100)
  --pairs N          least pairs of a row, of as many queries as that takes (40)
  --prepared DIR     keeps the prepared models for the next time
  --repetitions N    default 3
  --json             one line a row instead of a table`;

/** Room for some prefixes of the model, as a worker has it by default: 512 tokens of 28 layers take 117 MB. */
const PREFIX_BYTES = 128 * 1024 * 1024;
const MIB = 1024 * 1024;
/** Logits are sums of thousands of products in another order. */
const TOLERANCE = 1e-3;

export const prefixBench: Bench = { usage: USAGE, run };

interface Options {
  readonly shared: string;
  readonly whole: string;
  readonly precision: Precision;
  readonly python: string | undefined;
  readonly prompt: string;
  readonly shapes: readonly ListShape[];
  readonly repetitions: number;
  readonly preparedDir: string | undefined;
  readonly json: boolean;
}

function parse(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      shared: { type: "string", default: "out/synthetic/qwen3-reranker-0.6b" },
      whole: { type: "string", default: "out/synthetic/qwen3-reranker-0.6b-whole" },
      precision: { type: "string", default: "fp32" },
      python: { type: "string" },
      prompt: { type: "string", default: "qwen3-reranker" },
      documents: { type: "string", default: "64,128,512" },
      lists: { type: "string", default: "5,20,100" },
      pairs: { type: "string", default: "40" },
      prepared: { type: "string" },
      repetitions: { type: "string", default: "3" },
      json: { type: "boolean", default: false },
    },
  });
  return {
    shared: resolve(values.shared),
    whole: resolve(values.whole),
    precision: values.precision === "int8" ? "int8" : "fp32",
    python: values.python,
    prompt: values.prompt,
    shapes: numbers(values.documents).flatMap((documentTokens) =>
      numbers(values.lists).map((documents) => ({
        documentTokens,
        documents,
        queries: Math.ceil(Number(values.pairs) / documents),
      })),
    ),
    repetitions: Number(values.repetitions),
    preparedDir: values.prepared,
    json: values.json,
  };
}

function numbers(list: string): number[] {
  return list.split(",").map(Number);
}

async function run(args: readonly string[]): Promise<number> {
  const options = parse(args);
  for (const folder of [options.shared, options.whole]) {
    if (existsSync(onnxOf(folder, options.precision))) continue;
    say(`${folder} holds no ${options.precision} model: make one with make-synthetic.py`);
    return 2;
  }
  if (!options.json) print(describeHost());
  const cacheDir = await mkdtemp(join(tmpdir(), "rankmill-prefix-"));
  const ways: Way[] = [];
  try {
    ways.push(...(await openWays(options, options.preparedDir ?? cacheDir)));
    return await measureAll(options, ways);
  } finally {
    for (const way of ways) await way.close();
    await rm(cacheDir, { recursive: true, force: true });
  }
}

async function openWays(options: Options, cacheDir: string): Promise<Way[]> {
  const { precision, python, shared, whole } = options;
  const lanes = availableParallelism();
  const common = { precision, lanes, cacheDir };
  const ways = [
    await openLanes({
      ...common,
      name: "shared prefix",
      folder: shared,
      sharesPrefixes: true,
      prefixBytes: PREFIX_BYTES,
    }),
    await openLanes({
      ...common,
      name: "whole prompt",
      folder: whole,
      sharesPrefixes: false,
      prefixBytes: 0,
    }),
  ];
  if (python !== undefined) {
    const prompt = await namedPrompt(options.prompt, "--prompt");
    ways.push(await openFramework(python, shared, lanes, prompt));
  }
  return ways;
}

async function measureAll(options: Options, ways: readonly Way[]): Promise<number> {
  const { shapes, repetitions, json, precision } = options;
  const rows: string[][] = [];
  const furthest = ways.map(() => 0);
  const lists = await makeLists(options.shared, shapes);
  for (const [at, shape] of shapes.entries()) {
    const measured = await measure(ways, lists[at] ?? [], repetitions);
    for (const [i, { difference }] of measured.entries()) {
      furthest[i] = Math.max(furthest[i] ?? 0, difference);
    }
    const row = { ...shape, tokens: lists[at]?.[0]?.pairs[0]?.ids.length ?? 0, measured };
    if (json) print(JSON.stringify({ precision, ...row }));
    else say(JSON.stringify(row));
    rows.push(cellsOf(row));
  }
  if (!json) {
    const names = ways.map(({ name }) => name);
    const speeds = names.flatMap((name) => [`${name}: pairs/s`, "per processor s"]);
    const times = names.slice(1).map((name) => `times ${name}`);
    printTable(["document", "list", "queries", "pair", ...speeds, ...times], rows);
    for (const [i, way] of ways.entries()) sayMore(way, furthest[i] ?? 0);
  }
  return precision === "int8" || Math.max(...furthest) <= TOLERANCE ? 0 : 1;
}

interface Measured {
  /** Medians. */
  readonly pairsPerSecond: number;
  readonly pairsPerProcessorSecond: number;
  /** Largest difference of a logit from that of the first way. */
  readonly difference: number;
}

/** The last cells compare processor time: other work of the machine changes it little. */
function cellsOf({
  documentTokens,
  documents,
  queries,
  tokens,
  measured,
}: ListShape & { readonly tokens: number; readonly measured: readonly Measured[] }): string[] {
  const [ours = Number.NaN, ...others] = measured.map((one) => one.pairsPerProcessorSecond);
  return [
    ...[documentTokens, documents, queries, tokens].map(String),
    ...measured.flatMap((one) => [
      one.pairsPerSecond.toFixed(1),
      one.pairsPerProcessorSecond.toFixed(1),
    ]),
    ...others.map((speed) => (ours / speed).toFixed(2)),
  ];
}

function sayMore(way: Way, difference: number): void {
  const memory = way.memory();
  const { laneBytes = 0, prefixBytes = 0 } = memory ?? {};
  const lane = (laneBytes / MIB).toFixed(0);
  const prefixes = (prefixBytes / MIB).toFixed(0);
  const of = memory === undefined ? "" : `; a lane: ${lane} MiB of its own, ${prefixes} prefixes`;
  print(`${way.name}: logits differ by at most ${difference.toExponential(1)}${of}`);
}

/** Each way in turn, so that other work of the machine meets all of them. */
async function measure(
  ways: readonly Way[],
  lists: readonly List[],
  repetitions: number,
): Promise<readonly Measured[]> {
  const pairs = lists.reduce((sum, list) => sum + list.pairs.length, 0);
  const found = ways.map(() => ({ speeds: [] as number[], worked: [] as number[], difference: 0 }));
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    let reference: readonly number[] | undefined;
    for (const [at, way] of ways.entries()) {
      const { seconds, processorSeconds, logits } = await way.score(lists);
      reference ??= logits;
      const one = found[at];
      if (one === undefined) continue;
      one.speeds.push(pairs / seconds);
      one.worked.push(pairs / processorSeconds);
      one.difference = Math.max(one.difference, furthestOf(logits, reference));
    }
  }
  return found.map(({ speeds, worked, difference }) => ({
    pairsPerSecond: median(speeds),
    pairsPerProcessorSecond: median(worked),
    difference,
  }));
}

function furthestOf(logits: readonly number[], reference: readonly number[]): number {
  return Math.max(...logits.map((one, i) => Math.abs(one - (reference[i] ?? Number.NaN))));
}

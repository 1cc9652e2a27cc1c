import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Precision } from "../../../src/core/precision.js";
import type { EncodedPair } from "../../../src/core/pair.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import { median } from "../support/statistics.js";
import { makeLists, onnxOf, type ListShape } from "./lists.js";
import { openFramework, openLanes, type Way } from "./ways.js";

const USAGE = `prefix: pairs per second of a language model with and without the shared prefix
  --shared DIR       model whose graph takes keys and values (models/export/make-synthetic.py)
  --whole DIR        the same weights with --whole-prompt
  --precision P      fp32 (default) or int8
  --python PATH      interpreter with transformers: the framework as a third way, on the weights in --shared
  --documents A,B,…  tokens of a document (64,128,512)
  --lists A,B,…      documents of a query (5,20,100)
  --repetitions N    default 3
  --json             one line a row instead of a table`;

/** Enough pairs that both lanes are busy for some time. */
const LEAST_PAIRS = 40;
/** Room for some prefixes of the model, as a worker has it by default: 512 tokens of 28 layers take 117 MB. */
const PREFIX_BYTES = 128 * 1024 * 1024;
const MIB = 1024 * 1024;
/** Ids of "yes" and "no" in the tokenizer of Qwen3. */
const YES_NO = [9_693, 2_152] as const;
/** Logits are sums of thousands of products in another order. */
const TOLERANCE = 1e-3;

export const prefixBench: Bench = { usage: USAGE, run };

interface Options {
  readonly shared: string;
  readonly whole: string;
  readonly precision: Precision;
  readonly python: string | undefined;
  readonly shapes: readonly ListShape[];
  readonly repetitions: number;
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
      documents: { type: "string", default: "64,128,512" },
      lists: { type: "string", default: "5,20,100" },
      repetitions: { type: "string", default: "3" },
      json: { type: "boolean", default: false },
    },
  });
  return {
    shared: resolve(values.shared),
    whole: resolve(values.whole),
    precision: values.precision === "int8" ? "int8" : "fp32",
    python: values.python,
    shapes: numbers(values.documents).flatMap((documentTokens) =>
      numbers(values.lists).map((documents) => ({
        documentTokens,
        documents,
        queries: Math.ceil(LEAST_PAIRS / documents),
      })),
    ),
    repetitions: Number(values.repetitions),
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
    ways.push(...(await openWays(options, cacheDir)));
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
  if (python !== undefined) ways.push(await openFramework(python, shared, lanes, YES_NO));
  return ways;
}

async function measureAll(options: Options, ways: readonly Way[]): Promise<number> {
  const { shapes, repetitions, json, precision } = options;
  const rows: string[][] = [];
  let furthest = 0;
  const lists = await makeLists(options.shared, shapes);
  for (const [at, shape] of shapes.entries()) {
    const { speeds, difference } = await measure(ways, lists[at] ?? [], repetitions);
    furthest = Math.max(furthest, difference);
    const [ours = 0, ...others] = speeds;
    const row = { ...shape, tokens: lists[at]?.[0]?.[0]?.ids.length ?? 0, speeds, difference };
    if (json) print(JSON.stringify({ precision, ...row }));
    else say(JSON.stringify(row));
    rows.push([
      ...[shape.documentTokens, shape.documents, shape.queries, row.tokens].map(String),
      ...speeds.map((speed) => speed.toFixed(1)),
      ...others.map((speed) => (ours / speed).toFixed(2)),
    ]);
  }
  if (!json) {
    const names = ways.map(({ name }) => name);
    const times = names.slice(1).map((name) => `times ${name}`);
    printTable(["document", "list", "queries", "pair", ...names, ...times], rows);
    print(`logits of the ways differ by at most ${furthest.toExponential(1)}`);
    for (const way of ways) sayMemory(way);
  }
  return precision === "int8" || furthest <= TOLERANCE ? 0 : 1;
}

function sayMemory(way: Way): void {
  const memory = way.memory();
  if (memory === undefined) return;
  const { laneBytes, prefixBytes } = memory;
  const lane = (laneBytes / MIB).toFixed(0);
  const prefixes = (prefixBytes / MIB).toFixed(0);
  print(`a lane of the way "${way.name}": ${lane} MiB of its own, ${prefixes} of it prefixes`);
}

/** Each way in turn, so that other work of the machine meets all of them; medians of pairs per second. */
async function measure(
  ways: readonly Way[],
  lists: readonly (readonly EncodedPair[])[],
  repetitions: number,
): Promise<{ readonly speeds: readonly number[]; readonly difference: number }> {
  const pairs = lists.flat().length;
  const speeds = ways.map((): number[] => []);
  let difference = 0;
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    let reference: readonly number[] | undefined;
    for (const [at, way] of ways.entries()) {
      const { seconds, logits } = await way.score(lists);
      speeds[at]?.push(pairs / seconds);
      reference ??= logits;
      const other = reference;
      difference = Math.max(difference, ...logits.map((one, i) => Math.abs(one - (other[i] ?? 0))));
    }
  }
  return { speeds: speeds.map(median), difference };
}

/**
 * The memory of a lane that meets many lengths: what it holds once it is ready, once it has run its longest
 * pair, and once it has run a pair of every length twice, in an order that changes each time.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { paddedLength } from "../../../src/core/cost/length-buckets.js";
import { PLAIN_HEAD } from "../../../src/core/heads/head-use.js";
import { readProcessMemory } from "../../../src/inference/host/process-memory.js";
import { LaneProcess } from "../../../src/inference/lanes/lane-process.js";
import type { LaneModel } from "../../../src/inference/lanes/lane-protocol.js";
import { runtimeOf, type RuntimeKind } from "../../../src/inference/runtime/registry.js";
import { openvinoDir } from "../../../producers/cli/context.js";
import { madeUpPair } from "../../../src/capacity/measure/calibration-pairs.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { DIST, modelsFolder } from "../support/places.js";
import { print, printTable, say } from "../support/print.js";
import { seededRandom, shuffled } from "../support/statistics.js";

const USAGE = `  lengths  memory of a lane that meets pairs of many lengths
  --models DIR        synthetic models, one folder each (RANKMILL_BENCH_MODELS)
  --openvino-dir DIR  folder that \`rankmill setup openvino\` filled (RANKMILL_OPENVINO_DIR)
  --model NAME        only this model
  --padded-only       only OpenVINO with rows padded as by workers
  --longest N         tokens of the longest pair (default 512)
  --every N           tokens between two lengths (default 2)`;

const MODELS = ["minilm-l6", "bge-reranker-v2-m3"] as const;
const SHORTEST = 8;
const OPEN_TIMEOUT_MS = 300_000;
const MIB = 1024 * 1024;

interface Way {
  readonly name: string;
  readonly kind: RuntimeKind;
  /** True if rows are padded to the runtime's lengths, as workers pad them. */
  readonly padded: boolean;
}

const WAYS: readonly Way[] = [
  { name: "ONNX Runtime", kind: "onnxruntime", padded: true },
  { name: "OpenVINO, rows as they are", kind: "openvino", padded: false },
  { name: "OpenVINO, rows padded as by workers", kind: "openvino", padded: true },
];

export const lengthsBench: Bench = { usage: USAGE, run };

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      models: { type: "string" },
      model: { type: "string" },
      "openvino-dir": { type: "string" },
      longest: { type: "string", default: "512" },
      every: { type: "string", default: "2" },
      "padded-only": { type: "boolean", default: false },
    },
  });
  const folder = modelsFolder(values.models);
  const libraryDir = openvinoDir(values["openvino-dir"] ?? process.env["RANKMILL_OPENVINO_DIR"]);
  const lengths = evenly(Number(values.longest), Number(values.every));
  print(`# Memory of a lane that meets many lengths\n\n${describeHost()}\n`);
  const rows: string[][] = [];
  for (const model of MODELS) {
    const onnxPath = join(folder, model, "onnx/model.onnx");
    if (values.model !== undefined && values.model !== model) continue;
    if (!existsSync(onnxPath)) {
      say(`${onnxPath} is not there: left out`);
      continue;
    }
    for (const way of WAYS) {
      if (values["padded-only"] && !(way.padded && way.kind === "openvino")) continue;
      say(`${model}: ${way.name}`);
      rows.push([model, way.name, ...(await measure(onnxPath, way, libraryDir, lengths))]);
    }
  }
  printTable(
    [
      "model",
      "runtime",
      "lengths",
      "ready, MiB",
      "after the longest",
      "after all",
      "after all once more",
      "MiB per length",
    ],
    rows,
  );
  return 0;
}

function evenly(longest: number, every: number): number[] {
  const count = Math.floor((longest - SHORTEST) / every) + 1;
  return Array.from({ length: count }, (_, index) => longest - index * every);
}

async function measure(
  onnxPath: string,
  { kind, padded }: Way,
  libraryDir: string,
  lengths: readonly number[],
): Promise<string[]> {
  const [longest = 0] = lengths;
  const lengthBuckets = padded ? runtimeOf(kind).lengths?.(longest) : undefined;
  const model: LaneModel = {
    onnxPath,
    head: PLAIN_HEAD,
    padId: 0,
    segmentTypeIds: true,
    device: "cpu",
    intraOpThreads: 1,
    runtime: { kind, libraryDir },
    ...(lengthBuckets === undefined ? {} : { lengthBuckets }),
  };
  const entryPath = join(DIST, "workers/lane.js");
  const lane = await LaneProcess.start(0, {
    entryPath,
    model,
    env: process.env,
    openTimeoutMs: OPEN_TIMEOUT_MS,
  });
  try {
    const random = seededRandom(7);
    const held: number[] = [];
    const look = (): void => void held.push(readProcessMemory(lane.pid)?.privateBytes ?? NaN);
    look();
    // The longest first: what is kept for its activations is not what lengths cost.
    for (const round of [[longest], shuffled(lengths, random), shuffled(lengths, random)]) {
      for (const length of round) await lane.score([[madeUpPair(length)]]);
      look();
    }
    const met = new Set(lengths.map((length) => paddedLength(length, lengthBuckets))).size;
    const [, afterLongest = NaN, , after = NaN] = held;
    return [
      String(met),
      ...held.map((bytes) => (bytes / MIB).toFixed(0)),
      ((after - afterLongest) / met / MIB).toFixed(2),
    ];
  } finally {
    await lane.drain("measured");
  }
}

import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { freemem } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs, promisify } from "node:util";
import { missingCollection } from "../engine/collection.js";
import { compare } from "../engine/compare.js";
import { measure, type Measured } from "../engine/measure.js";
import { openRankmillWay } from "../engine/rankmill-way.js";
import { sampleJobs } from "../engine/sample.js";
import type { BenchJob, OpenWay } from "../engine/way.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { DIST, modelsFolder } from "../support/places.js";
import { print, printTable, say } from "../support/print.js";
import { startRedis } from "../support/redis.js";
import { seededRandom } from "../support/statistics.js";
import { fitsLlama, llamaFile } from "./llama.js";
import { openPeerWay } from "./peer-way.js";
import { setUp } from "./set-up.js";
import { hasTei, openTeiWay } from "./tei-way.js";

const USAGE = `peers: pairs per second beside what people would take instead, by class of precision
  --python PATH      Python in which test/bench/peers/requirements.lock is installed
                     (RANKMILL_BENCH_PYTHON)
  --set-up DIR       makes such an environment in DIR, some 6 GB, and ends
  --with-llama       with --set-up: compiles llama.cpp too, which needs cmake and a C++ compiler
  --models DIR       synthetic models with the framework's weights (RANKMILL_BENCH_MODELS)
  --only A,B,…       these models alone: minilm-l6, bge-reranker-base, bge-reranker-v2-m3
  --ways A,B,…       the ways with one of these words in their names
  --repetitions N    default 3
  --quick            MiniLM alone, fewer documents
Start is the time from the start of a way's process until it can score; rankmill's model is prepared
and measured before. Memory is the sum of the most that each process of a way was ever resident with,
and a file that several of them have mapped counts once: a peer is one process, rankmill is a
worker and its lanes. Redis and the client are not in it.
llama.cpp has rows for the models of BGE alone, once it is installed. It would score a model of BERT's
shape otherwise than the framework: it knows no token types, and its converter drops the pooler.`;

const SEED = 20_261_121;
const MIB = 1024 * 1024;
const MAX_LENGTH = 512;
const WARM_UP_JOBS = 4;
const DEFAULT_REPETITIONS = 3;
/** Free memory with which ways of a model stay open while others are measured. */
const KEEP_OPEN_BYTES: Readonly<Record<string, number>> = { "minilm-l6": 16 * 1024 ** 3 };

/** Jobs of each model: one in eight is a list, the others hold one document. */
const LISTS: Readonly<Record<string, { jobs: number; documents: number; maxTokens: number }>> = {
  "minilm-l6": { jobs: 64, documents: 30, maxTokens: MAX_LENGTH },
  "bge-reranker-base": { jobs: 32, documents: 8, maxTokens: 256 },
  "bge-reranker-v2-m3": { jobs: 16, documents: 8, maxTokens: 256 },
};
const QUICK = { jobs: 32, documents: 16, maxTokens: MAX_LENGTH };

const PEERS = [
  "sentence-transformers torch fp32",
  "sentence-transformers ONNX fp32",
  "sentence-transformers OpenVINO fp32",
  "fastembed fp32",
  "FlagEmbedding fp32",
  "Infinity fp32",
  "sentence-transformers torch bf16",
  "sentence-transformers OpenVINO bf16",
  "sentence-transformers ONNX int8",
  "OpenVINO static int8",
] as const;
/** By class of precision. */
const LLAMA: Readonly<Record<string, string>> = {
  fp32: "llama.cpp (from PyPI) fp32",
  int8: "llama.cpp (from PyPI), Q8_0 int8",
};
/** What rankmill is told for each class. */
const RANKMILL: Readonly<Record<string, { precision: string; args: readonly string[] }>> = {
  "rankmill fp32": { precision: "fp32", args: [] },
  "rankmill bf16": { precision: "bf16", args: [] },
  "rankmill int8": { precision: "int8", args: [] },
};
const CLASSES = ["fp32", "bf16", "int8"] as const;

export const peersBench: Bench = { usage: USAGE, run };

async function run(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options.setUp !== undefined) return setUp(resolve(options.setUp), options.withLlama);
  const missing = missingCollection() ?? missingPart(options);
  if (missing !== undefined) {
    say(missing);
    return 2;
  }
  print(describeHost());
  let failed = 0;
  for (const model of options.only) failed += await runModel(model, options);
  return failed === 0 ? 0 : 1;
}

function parse(args: readonly string[]): {
  readonly python: string;
  readonly setUp: string | undefined;
  readonly withLlama: boolean;
  readonly models: string;
  readonly only: readonly string[];
  readonly ways: readonly string[] | undefined;
  readonly repetitions: number;
  readonly quick: boolean;
} {
  const { values } = parseArgs({
    args: [...args],
    options: {
      python: { type: "string" },
      "set-up": { type: "string" },
      "with-llama": { type: "boolean", default: false },
      models: { type: "string" },
      only: { type: "string" },
      ways: { type: "string" },
      repetitions: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  return {
    python: values.python ?? process.env["RANKMILL_BENCH_PYTHON"] ?? "python3",
    setUp: values["set-up"],
    withLlama: values["with-llama"],
    models: modelsFolder(values.models),
    only: values.only?.split(",") ?? (values.quick ? ["minilm-l6"] : Object.keys(LISTS)),
    ways: values.ways?.split(","),
    repetitions: Number(values.repetitions ?? DEFAULT_REPETITIONS),
    quick: values.quick,
  };
}

type Options = ReturnType<typeof parse>;

function missingPart({ models, only, python }: Options): string | undefined {
  const unknown = only.filter((model) => LISTS[model] === undefined);
  if (unknown.length > 0) return `no such model: ${unknown.join(", ")}`;
  const absent = only.filter((model) => !existsSync(join(models, model, "model.safetensors")));
  if (absent.length > 0) {
    const made = absent.map(
      (model) =>
        `  python models/export/make-synthetic.py --model ${model} --weights --precision fp32,int8 --tokenizer FOLDER --output ${join(models, model)}`,
    );
    return [`no weights of the framework in ${models}; make them so:`, ...made].join("\n");
  }
  if (hasModule(python, "sentence_transformers")) return undefined;
  return `${python} has no sentence-transformers: npm run bench -- peers --set-up DIR, then --python DIR/bin/python`;
}

/** Looks for a module without importing it, which may take half a minute. */
function hasModule(python: string, name: string): boolean {
  const words = `import importlib.util as found, sys; sys.exit(found.find_spec("${name}") is None)`;
  return spawnSync(python, ["-c", words]).status === 0;
}

async function runModel(model: string, options: Options): Promise<number> {
  const modelFolder = join(options.models, model);
  const { jobs: count, documents, maxTokens } = (options.quick ? QUICK : LISTS[model]) ?? QUICK;
  const sizes = Array.from({ length: count }, (_, i) => (i % 8 === 0 ? documents : 1));
  const { jobs, line } = await sampleJobs({ modelFolder, maxTokens, sizes, seed: SEED });
  say(`${model}: ${line}`);
  const ways = waysOf(modelFolder, options);
  const measured = await measure(ways, {
    jobs,
    warmUp: jobs.slice(0, WARM_UP_JOBS),
    repetitions: options.repetitions,
    random: seededRandom(SEED),
    keepOpen: freemem() > (KEEP_OPEN_BYTES[model] ?? Infinity),
    onRepetition: (said) => say(`  ${model} ${said}`),
    onFailure: (name, error) => say(`  ${name} cannot be measured: ${String(error)}`),
  });
  printModel(model, jobs, measured);
  return ways.size - measured.size;
}

/** Each with a Redis of its own: one client would find a model in several precisions under one name. */
async function openOurs(
  modelFolder: string,
  precision: string,
  args: readonly string[],
): Promise<OpenWay> {
  await prepare(modelFolder, precision);
  const redis = await startRedis("redis-server");
  try {
    const redisPath = redis.connection.path;
    const options = { modelFolder, onnxPath: "", precision, redisPath, maxLength: MAX_LENGTH };
    const way = await openRankmillWay(options, args);
    return {
      ...way,
      close: async () => {
        await way.close();
        await redis.stop();
      },
    };
  } catch (error) {
    await redis.stop();
    throw error;
  }
}

/** Compiles and measures the model, so that the worker's start is the one of every day. */
async function prepare(modelFolder: string, precision: string): Promise<void> {
  const command = ["models", "prepare", modelFolder, "--precision", precision, "--calibrate"];
  await promisify(execFile)(process.execPath, [join(DIST, "producers/cli/main.js"), ...command]);
}

function waysOf(
  modelFolder: string,
  { python, ways: wanted }: Options,
): Map<string, () => Promise<OpenWay>> {
  const all = new Map<string, () => Promise<OpenWay>>();
  for (const [name, { precision, args }] of Object.entries(RANKMILL)) {
    all.set(name, async () => await openOurs(modelFolder, precision, args));
  }
  for (const name of PEERS) {
    const peer = { python, name, model: modelFolder, maxLength: MAX_LENGTH };
    all.set(name, async () => await openPeerWay(peer));
  }
  if (fitsLlama(modelFolder) && hasModule(python, "llama_cpp")) {
    for (const [precision, name] of Object.entries(LLAMA)) {
      all.set(name, async () => {
        const model = await llamaFile(python, modelFolder, precision);
        return await openPeerWay({ python, name, model, maxLength: MAX_LENGTH });
      });
    }
  }
  if (hasTei()) {
    all.set("text-embeddings-inference fp32", async () => await openTeiWay(modelFolder));
  }
  const isWanted = (name: string): boolean => wanted?.some((word) => name.includes(word)) ?? true;
  return new Map([...all].filter(([name]) => isWanted(name)));
}

function printModel(
  model: string,
  jobs: readonly BenchJob[],
  measured: ReadonlyMap<string, Measured>,
): void {
  const pairs = jobs.reduce((sum, job) => sum + job.documents.length, 0);
  const reference = measured.get("rankmill fp32");
  const rows: string[][] = [];
  for (const precision of CLASSES) {
    const ours = measured.get(`rankmill ${precision}`);
    for (const [name, found] of measured) {
      const { seconds, processorSeconds, foreignCores, startSeconds, peakBytes, scored } = found;
      if (!name.endsWith(precision)) continue;
      const error = reference === undefined ? NaN : compare(jobs, reference.scored, scored).logit;
      rows.push([
        precision,
        name.slice(0, -precision.length - 1),
        (pairs / seconds).toFixed(1),
        ours === undefined ? "" : (seconds / ours.seconds).toFixed(2),
        ours === undefined ? "" : (processorSeconds / ours.processorSeconds).toFixed(2),
        error.toExponential(1),
        startSeconds.toFixed(1),
        (peakBytes / MIB).toFixed(0),
        foreignCores.toFixed(1),
      ]);
    }
  }
  print(`\n${model}, ${pairs} pairs\n`);
  const times = ["rankmill is faster by", "by processor time"];
  const more = ["largest logit error", "start, s", "memory, MiB", "others' cores"];
  printTable(["class", "way", "pairs/s", ...times, ...more], rows);
}

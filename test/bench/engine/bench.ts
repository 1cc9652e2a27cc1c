import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { freemem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { modelsFolder } from "../support/places.js";
import { print, printTable, say } from "../support/print.js";
import { startRedis } from "../support/redis.js";
import { seededRandom } from "../support/statistics.js";
import { openBoundWay } from "./bound-way.js";
import { CASES, MAX_LENGTH, type Case, type Workload } from "./cases.js";
import { openChildWay } from "./child-way.js";
import { missingCollection } from "./collection.js";
import { compare, LOGIT_TOLERANCE } from "./compare.js";
import { measure, type Measured } from "./measure.js";
import { openRankmillWay } from "./rankmill-way.js";
import { sampleJobs } from "./sample.js";
import { measureShapes } from "./shapes.js";
import type { BenchJob, OpenWay, WayName, WayOptions } from "./way.js";

const USAGE = `engine: pairs per second against the obvious ways and the bound
  --quick            MiniLM fp32 and int8 and v2-m3 int8, fewer documents a job
  --json             one line a row instead of tables
  --models DIR       synthetic models, one folder each (RANKMILL_BENCH_MODELS)
  --only A:B,…       these cases alone, as minilm-l6:int8
  --ways A,B,…       these ways alone: obvious, sorted, bound, rankmill
  --repetitions N    default 5
  --no-shapes        without the table of jobs in flight and documents a job, as with --quick
  --worker-args "…"  more options for rankmill worker`;

const WAY_NAMES: readonly WayName[] = ["obvious", "sorted", "bound", "rankmill"];
const DEFAULT_REPETITIONS = 5;
const SEED = 20_261_121;
const WARM_UP_JOBS = 4;
/** Sessions that hold a copy of the weights while all ways are open, with some room. */
const COPIES_OPEN = 7;

interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly models: string;
  readonly cases: readonly Case[];
  readonly ways: readonly WayName[];
  readonly repetitions: number;
  readonly shapes: boolean;
  readonly workerArgs: readonly string[];
}

interface CaseResult {
  readonly of: Case;
  readonly jobs: readonly BenchJob[];
  readonly measured: ReadonlyMap<WayName, Measured>;
}

export const engineBench: Bench = { usage: USAGE, run };

async function run(args: readonly string[]): Promise<number> {
  const options = parse(args);
  const missing = missingCollection() ?? missingModels(options);
  if (missing !== undefined) {
    say(missing);
    return 2;
  }
  if (!options.json) print(describeHost());
  const results: CaseResult[] = [];
  const failures: string[] = [];
  for (const of of options.cases) {
    const result = await runCase(of, options);
    results.push(result);
    failures.push(...check(result));
    if (options.json) for (const row of rowsOf(result)) print(JSON.stringify(row));
  }
  if (!options.json) printResults(results);
  if (options.shapes) await runShapes(options);
  for (const failure of failures) say(`FAILED: ${failure}`);
  return failures.length === 0 ? 0 : 1;
}

function parse(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      models: { type: "string" },
      only: { type: "string" },
      ways: { type: "string" },
      repetitions: { type: "string" },
      "no-shapes": { type: "boolean", default: false },
      "worker-args": { type: "string", default: "" },
    },
  });
  const only = values.only?.split(",");
  const ways = values.ways?.split(",");
  return {
    quick: values.quick,
    json: values.json,
    models: modelsFolder(values.models),
    cases: CASES.filter(
      (c) =>
        only?.includes(`${c.model}:${c.precision}`) ?? (c.quick !== undefined || !values.quick),
    ),
    ways: WAY_NAMES.filter((name) => ways?.includes(name) ?? true),
    repetitions: Number(values.repetitions ?? DEFAULT_REPETITIONS),
    shapes: !values["no-shapes"] && !values.json && !values.quick,
    workerArgs: values["worker-args"].split(" ").filter((word) => word !== ""),
  };
}

function onnxPathOf({ model, precision }: Case, { models }: Options): string {
  return join(
    models,
    model,
    "onnx",
    precision === "fp32" ? "model.onnx" : `model_${precision}.onnx`,
  );
}

function missingModels(options: Options): string | undefined {
  const absent = options.cases.filter((of) => !existsSync(onnxPathOf(of, options)));
  if (absent.length === 0) return undefined;
  const made = new Map(absent.map((of) => [of.model, of.tokenizer]));
  return [
    `no synthetic models in ${options.models} (--models or RANKMILL_BENCH_MODELS); with the packages of models/export/requirements.txt, make them so:`,
    ...[...made].map(
      ([model, tokenizer]) =>
        `  python models/export/make-synthetic.py --model ${model} --precision fp32,int8 --tokenizer $RANKMILL_TEST_DATA/tokenizers/${tokenizer} --output ${join(options.models, model)}`,
    ),
  ].join("\n");
}

async function runCase(of: Case, options: Options): Promise<CaseResult> {
  const workload = (options.quick ? of.quick : undefined) ?? of.full;
  const jobs = await sampleOf(of, options, workload);
  const redis = await startRedis("redis-server");
  try {
    const wayOptions = { ...wayOptionsOf(of, options), redisPath: redis.connection.path };
    const openers: Record<WayName, () => Promise<OpenWay>> = {
      obvious: () => openChildWay("ways/obvious.ts", wayOptions),
      sorted: () => openChildWay("ways/sorted.ts", wayOptions),
      bound: () => openBoundWay(wayOptions),
      rankmill: () => openRankmillWay(wayOptions, options.workerArgs),
    };
    const measured = await measure(new Map(options.ways.map((name) => [name, openers[name]])), {
      jobs,
      warmUp: jobs.slice(0, WARM_UP_JOBS),
      repetitions: options.repetitions,
      random: seededRandom(SEED),
      keepOpen: (await weightBytes(wayOptions.onnxPath)) * COPIES_OPEN < freemem(),
      onRepetition: (line) => say(`  ${of.model} ${of.precision} ${line}`),
    });
    return { of, jobs, measured };
  } finally {
    await redis.stop();
  }
}

function wayOptionsOf(of: Case, options: Options): Omit<WayOptions, "redisPath"> {
  return {
    modelFolder: join(options.models, of.model),
    onnxPath: onnxPathOf(of, options),
    precision: of.precision,
    maxLength: MAX_LENGTH,
  };
}

async function weightBytes(onnxPath: string): Promise<number> {
  const external = await stat(`${onnxPath}_data`).catch(() => undefined);
  return (await stat(onnxPath)).size + (external?.size ?? 0);
}

async function sampleOf(
  of: Case,
  options: Options,
  { sizes, maxTokens }: Workload,
): Promise<readonly BenchJob[]> {
  const modelFolder = join(options.models, of.model);
  const { jobs, line } = await sampleJobs({ modelFolder, maxTokens, sizes, seed: SEED });
  say(`${of.model} ${of.precision}: ${line}`);
  return jobs;
}

/** The facts that must hold beside speed. */
function check({ of, jobs, measured }: CaseResult): string[] {
  const [referenceName, reference] = ["bound", "obvious", "rankmill", "sorted"]
    .map((name) => [name, measured.get(name as WayName)] as const)
    .find(([, found]) => found !== undefined) ?? ["", undefined];
  if (reference === undefined) return [];
  const failures: string[] = [];
  for (const [name, { scored }] of measured) {
    const { logit, rankings } = compare(jobs, reference.scored, scored);
    const what = `${of.model} ${of.precision}: ${name} against ${referenceName}: logits differ by at most ${logit.toExponential(1)}, ${rankings} of ${jobs.length} rankings differ`;
    say(`  ${what}`);
    const bad =
      !Number.isFinite(logit) ||
      (of.precision === "fp32" && (logit > LOGIT_TOLERANCE || rankings > 0));
    if (bad) failures.push(what);
  }
  if (measured.get("rankmill")?.repeats === false) {
    failures.push(
      `${of.model} ${of.precision}: rankmill must give a pair the same score, to the bit`,
    );
  }
  return failures;
}

function tokensOf(jobs: readonly BenchJob[]): { pairs: number; tokens: number } {
  const pairs = jobs.flatMap((job) => job.pairs);
  return { pairs: pairs.length, tokens: pairs.reduce((sum, pair) => sum + pair.ids.length, 0) };
}

function rowsOf({ of, jobs, measured }: CaseResult): object[] {
  const { pairs, tokens } = tokensOf(jobs);
  return [...measured].map(([way, { seconds }]) => ({
    model: of.model,
    precision: of.precision,
    way,
    seconds: Number(seconds.toFixed(3)),
    pairs,
    tokens,
    pairs_per_s: Number((pairs / seconds).toFixed(2)),
  }));
}

function printResults(results: readonly CaseResult[]): void {
  print("");
  printTable(
    [
      "model",
      "precision",
      "way",
      "pairs",
      "tokens",
      "seconds",
      "pairs/s",
      "processor s",
      "others' cores",
    ],
    results.flatMap(({ of, jobs, measured }) =>
      WAY_NAMES.flatMap((name) => {
        const found = measured.get(name);
        if (found === undefined) return [];
        const { pairs, tokens } = tokensOf(jobs);
        return [
          [
            of.model,
            of.precision,
            name,
            String(pairs),
            String(tokens),
            found.seconds.toFixed(2),
            (pairs / found.seconds).toFixed(1),
            found.processorSeconds.toFixed(1),
            found.foreignCores.toFixed(1),
          ],
        ];
      }),
    ),
  );
  const ratio = (
    result: CaseResult,
    way: WayName,
    what: "seconds" | "processorSeconds",
  ): string => {
    const [theirs, ours] = [result.measured.get(way), result.measured.get("rankmill")];
    return theirs === undefined || ours === undefined ? "" : (theirs[what] / ours[what]).toFixed(2);
  };
  printTable(
    [
      "model",
      "precision",
      "rankmill/obvious",
      "rankmill/sorted",
      "rankmill/bound",
      "/bound by processor time",
    ],
    results.map((result) => [
      result.of.model,
      result.of.precision,
      ratio(result, "obvious", "seconds"),
      ratio(result, "sorted", "seconds"),
      ratio(result, "bound", "seconds"),
      ratio(result, "bound", "processorSeconds"),
    ]),
  );
}

async function runShapes(options: Options): Promise<void> {
  const of = CASES.find(({ model, precision }) => model === "minilm-l6" && precision === "int8");
  if (of === undefined || !options.cases.includes(of) || !options.ways.includes("rankmill")) return;
  const redis = await startRedis("redis-server");
  try {
    const way = await openRankmillWay(
      { ...wayOptionsOf(of, options), redisPath: redis.connection.path },
      options.workerArgs,
    );
    try {
      const rows = await measureShapes(way, options.repetitions, (sizes) =>
        sampleOf(of, options, { sizes, maxTokens: MAX_LENGTH }),
      );
      printTable(
        ["rankmill, MiniLM int8", "jobs", "documents a job", "in flight", "pairs/s"],
        rows,
      );
    } finally {
      await way.close();
    }
  } finally {
    await redis.stop();
  }
}

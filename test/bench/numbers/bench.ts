import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { z } from "zod";
import { openPairLane, type PairLane } from "../../../src/app/score-pairs.js";
import { modelSource } from "../../../src/app/worker/prepared-model.js";
import { evaluateRun } from "../../../src/core/evaluation.js";
import { resolveModel } from "../../../src/models/resolve.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { REPOSITORY, TEST_DATA } from "../support/places.js";
import { print, printTable, say } from "../support/print.js";
import { median } from "../support/statistics.js";
import { readCandidates, type Candidates } from "./collection.js";
import { compareLogits } from "./compare-logits.js";

/** Ways to compute one model, by the names of the table. The first is what the others are compared with. */
const WAYS = {
  fp32: { precision: "fp32", int8Form: "file" },
  "int8 (file)": { precision: "int8", int8Form: "file" },
  w8: { precision: "w8", int8Form: "file" },
  "int8-rows": { precision: "int8", int8Form: "rows" },
} as const;

const WAY_NAMES = Object.keys(WAYS) as (keyof typeof WAYS)[];

export const numbersBench: Bench = {
  usage: `numbers: what each numeric form costs in quality, and what it gains in speed, on a trained model
  --queries N        how many of the collection's queries; default all
  --numbers A,B      rows of the table; the first is what the others are compared with
  --depth N          candidates per query; default 30
  --max-length N     tokens; default 256
  --model DIR        default RANKMILL_TEST_DATA/models/minilm-scifact
  --collection DIR   default RANKMILL_TEST_DATA/collections/scifact`,
  run,
};

/** One way at work, with what it gave and took. */
interface Way {
  readonly name: string;
  readonly lane: PairLane;
  readonly logits: number[];
  readonly milliseconds: number[];
}

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      queries: { type: "string" },
      numbers: { type: "string", default: Object.keys(WAYS).join() },
      depth: { type: "string", default: "30" },
      "max-length": { type: "string", default: "256" },
      model: { type: "string", default: join(TEST_DATA, "models/minilm-scifact") },
      collection: { type: "string", default: join(TEST_DATA, "collections/scifact") },
    },
  });
  const read = await readCandidates(values.collection, Number(values.depth));
  const candidates = read.candidates.slice(0, Number(values.queries ?? read.candidates.length));
  const cacheDir = await mkdtemp(join(tmpdir(), "rankmill-numbers-"));
  const ways: Way[] = [];
  try {
    const named = z.array(z.enum(WAY_NAMES)).parse(values.numbers.split(","));
    for (const name of named) {
      say(`opening ${name}`);
      ways.push(await openWay(name, values.model, cacheDir, Number(values["max-length"])));
    }
    await scoreAll(ways, candidates);
    print(describeHost());
    print("");
    const judged = new Set(candidates.map(({ query }) => query));
    const qrels = new Map([...read.qrels].filter(([query]) => judged.has(query)));
    report(ways, candidates, qrels);
  } finally {
    await Promise.all(ways.map(({ lane }) => lane.close()));
    await rm(cacheDir, { recursive: true, force: true });
  }
  return 0;
}

async function openWay(
  name: keyof typeof WAYS,
  folder: string,
  cacheDir: string,
  maxLength: number,
): Promise<Way> {
  const model = await resolveModel(folder, { packageRoot: REPOSITORY, ...WAYS[name] });
  const source = await modelSource(model, cacheDir, process.env, pino({ level: "warn" }));
  const scoring = { maxLength, truncation: "only-second" } as const;
  const lane = await openPairLane(model, process.env, { source, scoring });
  return { name, lane, logits: [], milliseconds: [] };
}

/** Each pair by all ways in turn: whatever else the machine does meets all of them. */
async function scoreAll(ways: readonly Way[], candidates: readonly Candidates[]): Promise<void> {
  for (const [at, { text, documents }] of candidates.entries()) {
    const texts = documents.map((document) => ({ query: text, document: document.text }));
    const [first] = ways;
    const encoded = (await first?.lane.encode(texts)) ?? [];
    for (const { pairs } of encoded) {
      for (const way of ways) {
        const started = performance.now();
        const [logit = Number.NaN] = await way.lane.score(pairs.slice(0, 1));
        way.milliseconds.push(performance.now() - started);
        way.logits.push(logit);
      }
    }
    if ((at + 1) % 10 === 0) say(`${at + 1} of ${candidates.length} queries`);
  }
}

function report(
  ways: readonly Way[],
  candidates: readonly Candidates[],
  qrels: Parameters<typeof evaluateRun>[0],
): void {
  const lists = candidates.map(({ documents }) => documents.length);
  const [exact] = ways;
  const rows = ways.map(({ name, logits, milliseconds }) => {
    const { most, mean, tau } = compareLogits(exact?.logits ?? [], logits, lists);
    const ratio = median(milliseconds.map((ms, i) => ms / (exact?.milliseconds[i] ?? Number.NaN)));
    const quality = evaluateRun(qrels, rankingsOf(candidates, logits)).mean["nDCG@10"];
    return [
      name,
      quality.toFixed(4),
      most.toFixed(4),
      mean.toFixed(4),
      tau.toFixed(4),
      (1 / ratio).toFixed(2),
    ];
  });
  const pairs = exact?.logits.length ?? 0;
  print(`${candidates.length} queries, ${pairs} pairs`);
  print("");
  printTable(
    [
      "numbers",
      "nDCG@10",
      "logit differs by at most",
      "on average",
      "Kendall's tau",
      "times fp32's speed",
    ],
    rows,
  );
}

function rankingsOf(
  candidates: readonly Candidates[],
  logits: readonly number[],
): Map<string, { id: string; score: number }[]> {
  let next = 0;
  return new Map(
    candidates.map(({ query, documents }) => [
      query,
      documents.map(({ id }) => {
        const score = logits[next] ?? Number.NaN;
        next += 1;
        return { id, score };
      }),
    ]),
  );
}

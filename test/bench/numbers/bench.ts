import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { openvinoDir } from "../../../producers/cli/context.js";
import { openPairLane, type PairLane } from "../../../src/app/score-pairs.js";
import { modelSource } from "../../../src/app/worker/prepared-model.js";
import { listWays } from "../../../src/app/ways/list-ways.js";
import type { Way, Ways } from "../../../src/app/ways/way.js";
import { evaluateRun } from "../../../src/core/evaluation.js";
import { numbersName } from "../../../src/core/forms/numbers.js";
import { resolveModel } from "../../../src/models/resolve.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { REPOSITORY, TEST_DATA } from "../support/places.js";
import { print, printTable, say } from "../support/print.js";
import { median } from "../support/statistics.js";
import { readCandidates, type Candidates } from "./collection.js";
import { compareLogits } from "./compare-logits.js";

export const numbersBench: Bench = {
  usage: `numbers: what each numeric form costs in quality, and what it gains in speed, on a trained model
  --queries N        how many of the collection's queries; default all
  --numbers A,B      rows of the table beside fp32; default all that this host computes
  --depth N          candidates per query; default 30
  --max-length N     tokens; default 256
  --model DIR        default RANKMILL_TEST_DATA/models/minilm-scifact
  --collection DIR   default RANKMILL_TEST_DATA/collections/scifact
  --openvino-dir DIR folder that \`rankmill setup openvino\` filled (RANKMILL_OPENVINO_DIR)`,
  run,
};

/** One way at work, with what it gave and took. The first is what the others are compared with. */
interface OpenWay {
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
      numbers: { type: "string" },
      "openvino-dir": { type: "string" },
      depth: { type: "string", default: "30" },
      "max-length": { type: "string", default: "256" },
      model: { type: "string", default: join(TEST_DATA, "models/minilm-scifact") },
      collection: { type: "string", default: join(TEST_DATA, "collections/scifact") },
    },
  });
  const read = await readCandidates(values.collection, Number(values.depth));
  const candidates = read.candidates.slice(0, Number(values.queries ?? read.candidates.length));
  const cacheDir = await mkdtemp(join(tmpdir(), "rankmill-numbers-"));
  const wanted = values.numbers?.split(",");
  const libraryDir = openvinoDir(values["openvino-dir"] ?? process.env["RANKMILL_OPENVINO_DIR"]);
  const ways: OpenWay[] = [];
  try {
    const { reference, open, closed } = await waysOf(values.model, libraryDir);
    for (const { numbers, why } of closed)
      say(`without ${numbersName(numbers)}: ${why.toString()}`);
    const others = open.filter(
      ({ model }) =>
        numbersName(model) !== numbersName(reference.model) &&
        (wanted?.includes(numbersName(model)) ?? true),
    );
    for (const way of [reference, ...others]) {
      say(`opening ${numbersName(way.model)}`);
      ways.push(await openWay(way, cacheDir, Number(values["max-length"])));
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

async function waysOf(folder: string, libraryDir: string): Promise<Ways> {
  return await listWays({
    resolve: async (precision, int8Form) =>
      await resolveModel(folder, { packageRoot: REPOSITORY, precision, int8Form }),
    places: { setupDirs: { openvino: libraryDir } },
    runtime: "auto",
    int8Form: undefined,
    prepares: true,
  });
}

async function openWay(
  { model, runtime }: Way,
  cacheDir: string,
  maxLength: number,
): Promise<OpenWay> {
  const logger = pino({ level: "warn" });
  const source = await modelSource(model, cacheDir, process.env, logger, runtime);
  const scoring = { maxLength, truncation: "only-second" } as const;
  const lane = await openPairLane(model, process.env, { source, scoring, runtime });
  return { name: numbersName(model), lane, logits: [], milliseconds: [] };
}

/** Each pair by all ways in turn: whatever else the machine does meets all of them. */
async function scoreAll(
  ways: readonly OpenWay[],
  candidates: readonly Candidates[],
): Promise<void> {
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
  ways: readonly OpenWay[],
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

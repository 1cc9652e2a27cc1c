/** The time that `run --dry-run` forecasts, against the time that the run then takes. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { z } from "zod";
import { DATA } from "../../support/data.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { DIST } from "../support/places.js";
import { print, printTable, say } from "../support/print.js";
import { median } from "../support/statistics.js";

const USAGE = `  dry-run  the forecast of run --dry-run against the run
  --repetitions N    pairs of forecast and run (default 3)
  --only TEXT        cases whose name holds it`;

const BUILTIN = "builtin-bm25";
const TRAINED = join(DATA, "models/minilm-scifact");

/** A model and a collection; a cross-encoder takes minutes on the large ones, and reads part of each pair. */
const CASES = [
  { model: BUILTIN, collection: "scifact", args: [] },
  { model: BUILTIN, collection: "noveleval", args: [] },
  { model: BUILTIN, collection: "xquad-en", args: [] },
  { model: BUILTIN, collection: "dureader2-demo-rerank", args: [] },
  { model: TRAINED, collection: "noveleval", args: [] },
  { model: TRAINED, collection: "scifact", args: ["--depth", "5", "--max-length", "128"] },
] as const;

const figures = z.object({
  pairs: z.number(),
  time: z.object({ expectedSeconds: z.number() }),
});

export const dryRunBench: Bench = { usage: USAGE, run };

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      repetitions: { type: "string", default: "3" },
      only: { type: "string", default: "" },
    },
  });
  print(`# The forecast of a dry run\n\n${describeHost()}\n`);
  const folder = mkdtempSync(join(tmpdir(), "rankmill-dry-run-"));
  const rows: string[][] = [];
  try {
    for (const one of CASES) {
      const name = one.model === BUILTIN ? BUILTIN : "a trained MiniLM-L6, fp32";
      const label = [name, one.collection, ...one.args].join(" ");
      const place = join(DATA, "collections", one.collection);
      if (!label.includes(values.only)) continue;
      if (!existsSync(place) || (one.model !== BUILTIN && !existsSync(one.model))) {
        say(`${label}: not there, left out`);
        continue;
      }
      rows.push(measure(label, [...inputOf(place, one.model), ...one.args], folder, values));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  printTable(["case", "pairs", "forecast s", "run s", "forecast / run", "of each pair"], rows);
  return await Promise.resolve(0);
}

function inputOf(place: string, model: string): string[] {
  return ["run", "--model", model, "--input", place, "--first-stage", join(place, "bm25.trec")];
}

/** A forecast and its run follow one another, so that both find the same machine. */
function measure(
  label: string,
  command: readonly string[],
  folder: string,
  { repetitions }: { readonly repetitions: string },
): string[] {
  const output = join(folder, "out.jsonl");
  const forecasts: number[] = [];
  const truths: number[] = [];
  let pairs = 0;
  // The first of a model prepares and calibrates it, which no later one does.
  start([...command, "--output", output, "--force-new"]);
  for (let i = 0; i < Number(repetitions); i += 1) {
    const dry = figures.parse(JSON.parse(start([...command, "--dry-run", "--json"])));
    ({ pairs } = dry);
    forecasts.push(dry.time.expectedSeconds);
    const startedMs = performance.now();
    start([...command, "--output", output, "--force-new"]);
    truths.push((performance.now() - startedMs) / 1_000);
    say(
      `${label}: ${forecasts.at(-1)?.toFixed(1)} s forecast, ${truths.at(-1)?.toFixed(1)} s taken`,
    );
  }
  const ratios = forecasts.map((forecast, i) => forecast / (truths[i] ?? Infinity));
  return [
    label,
    String(pairs),
    median(forecasts).toFixed(1),
    median(truths).toFixed(1),
    median(ratios).toFixed(2),
    ratios.map((ratio) => ratio.toFixed(2)).join(" "),
  ];
}

function start(args: readonly string[]): string {
  const main = join(DIST, "producers/cli/main.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`it ended with ${String(status)}: ${stderr.slice(-1_000)}`);
  return stdout;
}

/**
 * `npm run fuzz -- [--target T] [--seed S] [--case N] [--cases M] [--table FILE]`: what reads the files and keys of
 * others, with mutated ones. Exits 1 if a case broke; its line names what runs it again.
 */
import { availableParallelism } from "node:os";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { sharesOf } from "./support/shares.js";
import { runPlan, type TargetRun } from "./support/run-plan.js";
import { tableOf } from "./support/table.js";

const DEFAULT_CASES = 1_000_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      target: { type: "string" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      case: { type: "string" },
      cases: { type: "string", default: String(DEFAULT_CASES) },
      table: { type: "string" },
      jobs: { type: "string", default: String(availableParallelism()) },
    },
  });
  const seed = Number(values.seed);
  const shares = sharesOf(values.target, Number(values.cases));
  const runs: TargetRun[] = [];
  const work = async (): Promise<void> => {
    for (let share = shares.pop(); share !== undefined; share = shares.pop()) {
      const range =
        values.case === undefined ? share : { ...share, first: Number(values.case), count: 1 };
      for (const run of await runPlan([range], seed)) {
        runs.push(run);
        report(run, seed);
      }
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  if (values.table !== undefined)
    writeFileSync(values.table, tableOf(runs, seed, Number(values.cases)));
  return runs.some(({ broken }) => broken.length > 0) ? 1 : 0;
}

function report({ target, cases, refused, broken, peakRssBytes }: TargetRun, seed: number): void {
  const peak = Math.round(peakRssBytes / 1e6);
  process.stdout.write(
    `${target}: ${cases} cases, ${refused} refused, ${broken.length} broken, ${peak} MB at the most\n`,
  );
  for (const { number, why } of broken.slice(0, 20)) {
    process.stdout.write(
      `  npm run fuzz -- --target ${target} --seed ${seed} --case ${number}\n    ${why.slice(0, 600)}\n`,
    );
  }
}

process.exitCode = await main();

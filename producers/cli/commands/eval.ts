import type { Command } from "commander";
import {
  MEASURES,
  type Evaluation,
  type Measures,
  type Qrels,
} from "../../../src/core/evaluation.js";
import { describeError, RankmillError } from "../../../src/core/errors.js";
import { evaluateFile } from "../../../src/runs/evaluate-file.js";
import { openInput } from "../../../src/runs/formats/open-input.js";
import { readQrels } from "../../../src/runs/formats/tsv.js";
import { print, required, say } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { commanderOptions, pickValues } from "../option-values.js";

const OPTION_NAMES = [
  "evalRun",
  "qrels",
  "before",
  "ignoreIdenticalIds",
  "maxJobBytes",
  "json",
] as const;

const DIGITS = 4;

export function addEval(program: Command): void {
  const command = program
    .command("eval")
    .description("measure rankings against judgements, before and after reranking")
    .addHelpText(
      "after",
      `
nDCG@10, RR@10, AP and R@100, by ir_measures' names and to its figures, as means over all queries
that the qrels judge; one that a run lacks counts as 0.`,
    )
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await evaluate(parsed);
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function evaluate(parsed: Record<string, unknown>): Promise<number> {
  const values = pickValues(OPTION_NAMES, parsed);
  const run = required(values.evalRun, "--run");
  const lines = { maxLineBytes: values.maxJobBytes };
  const qrels = await loadQrels(required(values.qrels, "--qrels"), lines.maxLineBytes);
  const options = { ...lines, ignoreIdenticalIds: values.ignoreIdenticalIds === true };
  const before =
    values.before === undefined ? undefined : await evaluateFile(values.before, qrels, options);
  const after = await evaluateFile(run, qrels, options);
  if (values.json === true) {
    print(JSON.stringify(asJson(before, after), null, 2));
    return EXIT.ok;
  }
  for (const line of table(before?.mean, after.mean)) print(line);
  print(`over ${after.judgedQueries} judged queries`);
  if (values.before !== undefined && before !== undefined) sayCoverage(values.before, before);
  sayCoverage(run, after);
  return EXIT.ok;
}

async function loadQrels(path: string, maxLineBytes: number): Promise<Qrels> {
  const { chunks } = await openInput(path);
  try {
    return await readQrels(chunks, { maxLineBytes });
  } catch (error) {
    const { code, message } = describeError(error);
    throw new RankmillError(code, `${path}: ${message}`, { cause: error });
  }
}

/** What the means hide: queries without a list, and lists that nobody judged. */
function sayCoverage(path: string, evaluation: Evaluation): void {
  const { perQuery, judgedQueries, unjudgedQueries } = evaluation;
  const missing = judgedQueries - perQuery.size;
  if (missing > 0) say(`${path}: lacks ${missing} judged queries, each counts as 0`);
  if (unjudgedQueries > 0) say(`${path}: ${unjudgedQueries} queries are not judged, left out`);
}

function table(before: Measures | undefined, after: Measures): string[] {
  const head = before === undefined ? ["", "run"] : ["", "before", "after", "change"];
  const rows = MEASURES.map((measure) => {
    const value = after[measure];
    if (before === undefined) return [measure, value.toFixed(DIGITS)];
    const change = value - before[measure];
    const sign = change < 0 ? "" : "+";
    return [
      measure,
      before[measure].toFixed(DIGITS),
      value.toFixed(DIGITS),
      `${sign}${change.toFixed(DIGITS)}`,
    ];
  });
  return [head, ...rows].map((row) => row.map(cell).join(" "));
}

function cell(text: string, column: number): string {
  return column === 0 ? text.padEnd(8) : text.padStart(8);
}

function asJson(before: Evaluation | undefined, after: Evaluation): object {
  return {
    judgedQueries: after.judgedQueries,
    ...(before === undefined ? {} : { before: figuresOf(before) }),
    run: figuresOf(after),
  };
}

function figuresOf({ mean, perQuery, unjudgedQueries }: Evaluation): object {
  return { ...mean, queries: perQuery.size, unjudgedQueries };
}

/** Measures rankings against judgements and prints the figures. */
import { describeError, RankmillError } from "../../src/core/errors.js";
import { MEASURES, type Evaluation, type Measures, type Qrels } from "../../src/core/evaluation.js";
import { evaluateFile } from "../../src/outputs/evaluate-file.js";
import { openInput } from "../../src/inputs/read/open-input.js";
import { readQrels } from "../../src/inputs/read/tsv.js";
import { print, say } from "./terminal.js";

const DIGITS = 4;

export interface ReportOptions {
  readonly maxLineBytes: number;
  readonly ignoreIdenticalIds: boolean;
  readonly json: boolean;
}

/**
 * @param path rankings, TREC or JSONL
 * @param before a run to compare them with
 * @throws RankmillError naming the file that cannot be used, or judgements of another collection
 */
export async function reportEvaluation(
  path: string,
  before: string | undefined,
  qrels: Qrels,
  options: ReportOptions,
): Promise<void> {
  const first = before === undefined ? undefined : await evaluateFile(before, qrels, options);
  const after = await evaluateFile(path, qrels, options);
  if (options.json) {
    print(JSON.stringify(asJson(first, after), null, 2));
    return;
  }
  for (const line of table(first?.mean, after.mean)) print(line);
  print(`over ${after.judgedQueries} judged queries`);
  if (before !== undefined && first !== undefined) sayCoverage(before, first);
  sayCoverage(path, after);
}

/** @throws RankmillError naming the file if it holds no judgements */
export async function loadQrels(path: string, maxLineBytes: number): Promise<Qrels> {
  const { chunks } = await openInput(path);
  try {
    const qrels = await readQrels(chunks, { maxLineBytes });
    if (qrels.size === 0) throw new RankmillError("input_unusable", "holds no judgement");
    return qrels;
  } catch (error) {
    const { code, message } = describeError(error);
    throw new RankmillError(code, `${path}: ${message}`, { cause: error });
  }
}

/** Facts that the means hide: queries without a list, and lists that nobody judged. */
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

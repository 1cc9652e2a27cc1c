import type { Command } from "commander";
import { required } from "../context.js";
import { loadQrels, reportEvaluation } from "../evaluation-report.js";
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
  const qrels = await loadQrels(required(values.qrels, "--qrels"), values.maxJobBytes);
  await reportEvaluation(run, values.before, qrels, {
    maxLineBytes: values.maxJobBytes,
    ignoreIdenticalIds: values.ignoreIdenticalIds === true,
    json: values.json === true,
  });
  return EXIT.ok;
}

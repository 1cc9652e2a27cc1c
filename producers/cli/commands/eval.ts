import type { Command } from "commander";
import { loadQrels, reportEvaluation } from "../evaluation-report.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { EVALUATION } from "../options/evaluation.js";
import { LIMITS } from "../options/limits.js";
import { MESSAGES } from "../options/messages.js";
import { requireOptions } from "../options/required-options.js";
import { pick } from "../options/option-spec.js";

const GROUPS = {
  evaluation: EVALUATION,
  limits: pick(LIMITS, "maxJobBytes"),
  messages: pick(MESSAGES, "json"),
};

export function defineEval(command: Command): void {
  command.action(async (parsed: Record<string, unknown>) => {
    process.exitCode = await evaluate(parsed);
  });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill eval --run reranked.trec --before bm25.trec --qrels qrels.tsv"],
    notes: [
      `The measures are nDCG@10, RR@10, AP and R@100, named and computed as ir_measures does: means over all queries that the qrels judge. A query that the run lacks counts as 0.`,
    ],
  });
}

async function evaluate(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const { evalRun, before, ignoreIdenticalIds } = values.evaluation;
  const { maxJobBytes } = values.limits;
  const paths = requireOptions({ evalRun, qrels: values.evaluation.qrels });
  const qrels = await loadQrels(paths.qrels, maxJobBytes);
  await reportEvaluation(paths.evalRun, before, qrels, {
    maxLineBytes: maxJobBytes,
    ignoreIdenticalIds,
    json: values.messages.json,
  });
  return EXIT.ok;
}

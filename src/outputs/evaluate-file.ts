import { z } from "zod";
import { describeError, RankmillError } from "../core/errors.js";
import {
  assertSameCollection,
  Evaluator,
  type Evaluation,
  type EvaluationOptions,
  type Qrels,
} from "../core/evaluation.js";
import { readLines, type LineOptions } from "../inputs/read/lines.js";
import { openInput, requireReadableAgain } from "../inputs/read/open-input.js";
import { loadTrecRun } from "../inputs/read/trec.js";

/**
 * Evaluates a file of rankings: a TREC run, or JSONL as `run` writes it, told by the first line.
 *
 * A TREC run is ordered by its scores, as trec_eval does; JSONL keeps the order of its results,
 * ties included, which is the order that the same rankings have as a TREC run of ours.
 *
 * @throws RankmillError naming the file and the line for one that cannot be used; `input_unusable` if the
 *   judgements are those of another collection
 */
export async function evaluateFile(
  path: string,
  qrels: Qrels,
  options: EvaluationOptions & LineOptions,
): Promise<Evaluation> {
  await requireReadableAgain(path);
  const evaluator = new Evaluator(qrels, options);
  try {
    if (await isJsonl(path, options)) await addJsonl(path, evaluator, options);
    else await addTrec(path, evaluator, options);
    const evaluation = evaluator.result();
    assertSameCollection(evaluation);
    return evaluation;
  } catch (error) {
    if (!(error instanceof RankmillError) || error.message.startsWith(path)) throw error;
    throw new RankmillError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}

async function isJsonl(path: string, options: LineOptions): Promise<boolean> {
  const input = await openInput(path);
  try {
    for await (const line of readLines(input.chunks, options)) {
      return line.status === "line" && line.text.trimStart().startsWith("{");
    }
    return false;
  } finally {
    await input.close();
  }
}

async function addTrec(path: string, evaluator: Evaluator, options: LineOptions): Promise<void> {
  const { chunks } = await openInput(path);
  for (const [id, documents] of await loadTrecRun(chunks, options)) evaluator.add(id, documents);
}

async function addJsonl(path: string, evaluator: Evaluator, options: LineOptions): Promise<void> {
  const { chunks } = await openInput(path);
  for await (const line of readLines(chunks, options)) {
    if (line.status === "unreadable") throw new RankmillError(line.code, line.message);
    const { id, results } = parseRanking(line.text, line.lineNumber);
    // The place decides, not the logit: results are best first, and equal logits have an order.
    evaluator.add(
      id,
      results.map((document, place) => ({ id: document, score: -place })),
    );
  }
}

/** What is read of a line of rankings; results without ids are told apart from no ranking at all. */
const judgedRanking = z.object({
  id: z.string(),
  results: z.array(z.object({ id: z.unknown().optional() }).nullable()),
});

/** @returns the ids of the results, best first */
function parseRanking(text: string, lineNumber: number): { id: string; results: string[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = describeError(error);
    throw new RankmillError("invalid_json", `line ${lineNumber} is not JSON: ${message}`);
  }
  const ranking = judgedRanking.safeParse(value);
  if (!ranking.success) {
    throw new RankmillError(
      "invalid_field",
      `line ${lineNumber} is no ranking: "id" and "results" are read`,
    );
  }
  const { id, results } = ranking.data;
  const ids = results.map((result) => result?.id);
  if (ids.every((found) => typeof found === "string")) return { id, results: ids };
  throw new RankmillError(
    "invalid_field",
    `line ${lineNumber}: documents have no ids by which they could be judged`,
  );
}

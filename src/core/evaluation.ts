import { RankmillError } from "./errors.js";

/** The measures of `evaluate`, by the names that ir_measures gives them. */
export const MEASURES = ["nDCG@10", "RR@10", "AP", "R@100"] as const;
export type Measure = (typeof MEASURES)[number];
/** One value a measure, 0 to 1. */
export type Measures = Readonly<Record<Measure, number>>;

const NDCG_DEPTH = 10;
const RR_DEPTH = 10;
const RECALL_DEPTH = 100;
/** The grade from which a document counts as relevant for RR, AP and R. */
const RELEVANT_FROM = 1;

/** Grades of one query by document id. A document that is not in it counts as grade 0. */
export type Judgements = ReadonlyMap<string, number>;
/** Judgements by query id. */
export type Qrels = ReadonlyMap<string, Judgements>;

export interface ScoredDocument {
  readonly id: string;
  readonly score: number;
}

export interface EvaluationOptions {
  /** Leaves out of each query's list the document of the query's own id (BEIR: ArguAna, Quora). */
  readonly ignoreIdenticalIds?: boolean | undefined;
}

export interface Evaluation {
  /** Mean over all judged queries; one that the run lacks counts as 0 in each measure. */
  readonly mean: Measures;
  /** Values of the judged queries that the run has, in the order they were added. */
  readonly perQuery: ReadonlyMap<string, Measures>;
  /** Queries in the qrels. */
  readonly judgedQueries: number;
  /** Queries in the run that the qrels lack; they count nowhere. */
  readonly unjudgedQueries: number;
  /** (query, document) pairs of the run that have a judgement, whatever its grade. */
  readonly judgedPairs: number;
}

/**
 * Evaluates a run query by query, so that a run larger than memory can be evaluated as it is read.
 * The figures are those of ir_measures 0.4 (pytrec_eval, and MS MARCO's script for RR@10), ties
 * included; see `evaluateQuery`.
 */
export class Evaluator {
  private readonly qrels: Qrels;
  private readonly options: EvaluationOptions;
  private readonly perQuery = new Map<string, Measures>();
  private readonly unjudged = new Set<string>();
  private judgedPairs = 0;

  constructor(qrels: Qrels, options: EvaluationOptions = {}) {
    this.qrels = qrels;
    this.options = options;
  }

  /**
   * @param documents all documents of the query's list, in any order
   * @throws RankmillError `duplicate_id` for a query given twice, or a document twice in its list
   */
  add(queryId: string, documents: readonly ScoredDocument[]): void {
    if (this.perQuery.has(queryId) || this.unjudged.has(queryId)) {
      throw new RankmillError("duplicate_id", `query "${queryId}" is in the run twice`);
    }
    const judgements = this.qrels.get(queryId);
    if (judgements === undefined) {
      this.unjudged.add(queryId);
      return;
    }
    const counted =
      this.options.ignoreIdenticalIds === true
        ? documents.filter(({ id }) => id !== queryId)
        : documents;
    for (const { id } of counted) if (judgements.has(id)) this.judgedPairs += 1;
    this.perQuery.set(queryId, evaluateQuery(judgements, counted, queryId));
  }

  /** @throws RankmillError `input_unusable` for qrels that judge no query at all */
  result(): Evaluation {
    const judgedQueries = this.qrels.size;
    if (judgedQueries === 0) throw new RankmillError("input_unusable", "the qrels judge no query");
    const sums = { "nDCG@10": 0, "RR@10": 0, AP: 0, "R@100": 0 };
    for (const measures of this.perQuery.values()) {
      for (const measure of MEASURES) sums[measure] += measures[measure];
    }
    for (const measure of MEASURES) sums[measure] /= judgedQueries;
    return {
      mean: sums,
      perQuery: this.perQuery,
      judgedQueries,
      unjudgedQueries: this.unjudged.size,
      judgedPairs: this.judgedPairs,
    };
  }
}

/** Evaluates a run that is in memory: `Evaluator` with all its queries. */
export function evaluateRun(
  qrels: Qrels,
  run: ReadonlyMap<string, readonly ScoredDocument[]>,
  options: EvaluationOptions = {},
): Evaluation {
  const evaluator = new Evaluator(qrels, options);
  for (const [queryId, documents] of run) evaluator.add(queryId, documents);
  return evaluator.result();
}

/**
 * Zeros in every measure mean a bad run far less often than the wrong file. Call before showing
 * figures.
 *
 * @throws RankmillError `input_unusable` if run and qrels share no query, or no judged document
 */
export function assertSameCollection(evaluation: Evaluation): void {
  const { judgedQueries, unjudgedQueries, perQuery, judgedPairs } = evaluation;
  if (perQuery.size === 0) {
    throw new RankmillError(
      "input_unusable",
      `none of the run's ${unjudgedQueries} queries is among the ${judgedQueries} that the qrels judge: are they of another collection?`,
    );
  }
  if (judgedPairs === 0) {
    throw new RankmillError(
      "input_unusable",
      `the run shares ${perQuery.size} query ids with the qrels, but no document of it is judged: are they of another collection?`,
    );
  }
}

/**
 * The measures of one query.
 *
 * - nDCG@10: gain = grade (negative: 0), discount = log2(rank + 1), over the ideal order of all
 *   judged documents; 0 if none has a gain.
 * - AP: over the whole list, divided by all relevant documents; R@100 likewise.
 * - RR@10: 1 / rank of the first relevant document within 10, else 0.
 *
 * The order is trec_eval's: by score in single precision, ties by document id descending, as bytes
 * of UTF-8; ranks in the file are not looked at. RR@10 alone has MS MARCO's order, since that is
 * what ir_measures computes it with: by score in double precision, ties by id ascending.
 *
 * @throws RankmillError `duplicate_id` for a document that is in the list twice
 */
export function evaluateQuery(
  judgements: Judgements,
  documents: readonly ScoredDocument[],
  queryId = "",
): Measures {
  const seen = new Set<string>();
  for (const { id } of documents) {
    if (seen.has(id)) {
      throw new RankmillError(
        "duplicate_id",
        `document "${id}" is in the list of query "${queryId}" twice`,
      );
    }
    seen.add(id);
  }
  const grades = trecEvalOrder(documents).map(({ id }) => judgements.get(id) ?? 0);
  const judged = [...judgements.values()];
  const relevant = judged.filter((grade) => grade >= RELEVANT_FROM).length;
  const ideal = discountedGain(judged.toSorted((a, b) => b - a));
  return {
    "nDCG@10": ideal === 0 ? 0 : discountedGain(grades) / ideal,
    "RR@10": reciprocalRank(judgements, documents),
    AP: relevant === 0 ? 0 : precisionSum(grades) / relevant,
    "R@100":
      relevant === 0
        ? 0
        : grades.slice(0, RECALL_DEPTH).filter((grade) => grade >= RELEVANT_FROM).length / relevant,
  };
}

/** Documents by score as a 32-bit float, as trec_eval holds it; ties by id descending. */
function trecEvalOrder(documents: readonly ScoredDocument[]): ScoredDocument[] {
  return documents.toSorted(
    (a, b) => Math.fround(b.score) - Math.fround(a.score) || compareUtf8(b.id, a.id),
  );
}

function discountedGain(grades: readonly number[]): number {
  let sum = 0;
  grades.slice(0, NDCG_DEPTH).forEach((grade, index) => {
    if (grade > 0) sum += grade / Math.log2(index + 2);
  });
  return sum;
}

/** Precision at each relevant document that was found, summed. */
function precisionSum(grades: readonly number[]): number {
  let found = 0;
  let sum = 0;
  grades.forEach((grade, index) => {
    if (grade < RELEVANT_FROM) return;
    found += 1;
    sum += found / (index + 1);
  });
  return sum;
}

function reciprocalRank(judgements: Judgements, documents: readonly ScoredDocument[]): number {
  const ordered = documents.toSorted((a, b) => b.score - a.score || compareUtf8(a.id, b.id));
  const index = ordered
    .slice(0, RR_DEPTH)
    .findIndex(({ id }) => (judgements.get(id) ?? 0) >= RELEVANT_FROM);
  return index < 0 ? 0 : 1 / (index + 1);
}

const FIRST_SURROGATE = 0xd800;
const AFTER_SURROGATES = 0xe000;

/** Orders as the bytes of UTF-8 do, that is by code point; `<` orders by UTF-16 unit. */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA !== unitB) return codePointOrder(unitA) - codePointOrder(unitB);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others: moved to the end of the 16-bit range. */
function codePointOrder(unit: number): number {
  if (unit < FIRST_SURROGATE) return unit;
  return unit >= AFTER_SURROGATES ? unit - 0x800 : unit + 0x2000;
}

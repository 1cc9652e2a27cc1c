import { RankmillError } from "../../core/errors.js";
import type { ScoredDocument } from "../../core/evaluation.js";
import {
  readLineBatches,
  unusable,
  type ByteSource,
  type LineOptions,
  type TextLine,
  type UnreadableLine,
} from "./lines.js";

/** A line of a TREC run: `qid Q0 docid rank score tag`. */
export interface TrecLine {
  readonly status: "candidate";
  readonly lineNumber: number;
  readonly queryId: string;
  readonly documentId: string;
  readonly rank: number;
  readonly score: number;
}

/** The first-stage list of one query. */
export interface TrecQuery {
  readonly status: "query";
  /** Number of the query's first line. */
  readonly lineNumber: number;
  readonly queryId: string;
  /** The best `depth`, best first. */
  readonly candidates: readonly TrecCandidate[];
  /** Candidates below `depth`, best first: dropped, or written beneath the ranking. */
  readonly rest: readonly TrecCandidate[];
}

export interface TrecCandidate {
  readonly lineNumber: number;
  readonly documentId: string;
  readonly rank: number;
  readonly score: number;
}

const COLUMNS = 6;
const BLANKS = /[ \t]+/;
const ANY_BLANK = /\s/;

/** Reads the lines of a TREC run in the order of the file; a malformed one is reported in its place. */
export async function* readTrecLines(
  source: ByteSource,
  options: LineOptions,
): AsyncGenerator<TrecLine | UnreadableLine, void, undefined> {
  for await (const batch of readLineBatches(source, options)) {
    for (const line of batch) yield line.status === "line" ? parseTrecLine(line) : line;
  }
}

/**
 * Reads a TREC run query by query, holding one query at a time. Within a query the order is by
 * score, best first; ties go by the file's rank, then by line: the rank is what the first stage
 * itself said about a tie. (trec_eval reads no ranks and breaks ties by document id: figures from
 * `Evaluator` do the same.) A document twice in a query's list counts once, by its first line; the
 * second is reported.
 *
 * @param options.depth candidates per query, all if undefined
 * @throws RankmillError `invalid_field` if a query's lines are not together in the file: its
 *   list would be reranked in parts. The message says how to sort.
 */
export async function* readTrecRun(
  source: ByteSource,
  options: LineOptions & { readonly depth?: number | undefined },
): AsyncGenerator<TrecQuery | UnreadableLine, void, undefined> {
  const finished = new Set<string>();
  let group: TrecLine[] = [];
  let documents = new Set<string>();
  for await (const batch of readLineBatches(source, options)) {
    for (const textLine of batch) {
      const line = textLine.status === "line" ? parseTrecLine(textLine) : textLine;
      if (line.status === "unreadable") {
        yield line;
        continue;
      }
      const current = group[0]?.queryId;
      if (current !== undefined && current !== line.queryId) {
        yield toQuery(group, options.depth);
        finished.add(ownCopy(current));
        group = [];
        documents = new Set();
      }
      if (finished.has(line.queryId)) throw notTogether(line);
      if (documents.has(line.documentId)) {
        yield duplicate(line);
        continue;
      }
      documents.add(line.documentId);
      group.push(line);
    }
  }
  if (group.length > 0) yield toQuery(group, options.depth);
}

/**
 * Reads a whole run into memory for an evaluation, whatever the order of its lines.
 *
 * @throws RankmillError with the line's number for the first line that cannot be used: figures over
 *   part of a run would be wrong without showing it
 */
export async function loadTrecRun(
  source: ByteSource,
  options: LineOptions,
): Promise<Map<string, ScoredDocument[]>> {
  const run = new Map<string, ScoredDocument[]>();
  for await (const line of readTrecLines(source, options)) {
    if (line.status === "unreadable") throw new RankmillError(line.code, line.message);
    const document = { id: line.documentId, score: line.score };
    const documents = run.get(line.queryId);
    if (documents === undefined) run.set(line.queryId, [document]);
    else documents.push(document);
  }
  return run;
}

function parseTrecLine(line: TextLine): TrecLine | UnreadableLine {
  const { lineNumber } = line;
  const columns = line.text.trim().split(BLANKS);
  const [queryId, , documentId, rankText, scoreText] = columns;
  if (
    columns.length !== COLUMNS ||
    queryId === undefined ||
    documentId === undefined ||
    rankText === undefined ||
    scoreText === undefined
  ) {
    const message = `line ${lineNumber} has ${columns.length} columns, not the ${COLUMNS} of "qid Q0 docid rank score tag"`;
    return unusable(line, "invalid_field", message);
  }
  const rank = decimal(rankText);
  const score = decimal(scoreText);
  if (!Number.isFinite(rank)) {
    return unusable(line, "invalid_field", `line ${lineNumber}: rank "${rankText}" is no number`);
  }
  if (!Number.isFinite(score)) {
    return unusable(line, "invalid_field", `line ${lineNumber}: score "${scoreText}" is no number`);
  }
  return { status: "candidate", lineNumber, queryId, documentId, rank, score };
}

/** A number as every reader of runs takes it: `0x10` and `1_000` are none. */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** @returns NaN for what is no decimal number */
function decimal(text: string): number {
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}

function toQuery(group: readonly TrecLine[], depth: number | undefined): TrecQuery {
  const ordered = group
    .toSorted((a, b) => b.score - a.score || a.rank - b.rank || a.lineNumber - b.lineNumber)
    .map(({ lineNumber, documentId, rank, score }) => ({ lineNumber, documentId, rank, score }));
  const [first] = group;
  return {
    status: "query",
    lineNumber: first?.lineNumber ?? 0,
    queryId: first?.queryId ?? "",
    candidates: ordered.slice(0, depth),
    rest: depth === undefined ? [] : ordered.slice(depth),
  };
}

/** A part of a string keeps the whole line in memory; a set that lives long needs its own bytes. */
function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}

function duplicate(line: TrecLine): UnreadableLine {
  const { lineNumber, queryId, documentId } = line;
  return {
    status: "unreadable",
    lineNumber,
    code: "duplicate_id",
    message: `line ${lineNumber}: document "${documentId}" is in the list of query "${queryId}" already`,
    head: `${queryId} Q0 ${documentId} ${line.rank} ${line.score}`,
  };
}

function notTogether(line: TrecLine): RankmillError {
  return new RankmillError(
    "invalid_field",
    `line ${line.lineNumber}: query "${line.queryId}" comes again after other queries. ` +
      `Sort the run by query first: sort -s -k1,1 RUN`,
  );
}

export interface RankedDocument {
  readonly id: string;
  readonly logit: number;
}

/**
 * Writes one query of a TREC run: ranks from 1, the logit at full precision as the score.
 *
 * Evaluators read the score alone, in single precision, and break ties by document id: the order of
 * a ranking whose logits tie would be lost. So a document whose logit is not below the score before
 * it, as a 32-bit float, gets the next float below: one part in ten million, and only if there
 * is a tie. Every other score is the logit itself.
 *
 * @param ranking best first
 * @param rest documents without a logit (below the depth, or failed), best first: beneath the
 *   ranking, each a whole point under the one before
 * @returns the lines, each with its end; empty for an empty ranking
 * @throws RankmillError `invalid_field` for an id or a tag that is empty or has white space, and
 *   for a logit that is not finite: the format has no place for them
 */
export function formatTrecQuery(
  queryId: string,
  ranking: readonly RankedDocument[],
  options: { readonly tag: string; readonly rest?: readonly string[] },
): string {
  const { tag, rest = [] } = options;
  assertTrecToken(tag, "tag");
  assertTrecToken(queryId, "query id");
  let lines = "";
  let rank = 0;
  // The score before, as an evaluator holds it.
  let previous = Infinity;
  const append = (id: string, score: number): void => {
    assertTrecToken(id, "document id");
    rank += 1;
    previous = Math.fround(score);
    lines += `${queryId} Q0 ${id} ${rank} ${score} ${tag}\n`;
  };
  for (const { id, logit } of ranking) {
    if (!Number.isFinite(logit)) {
      throw new RankmillError("invalid_field", `document "${id}" has the logit ${logit}`);
    }
    append(id, Math.fround(logit) < previous ? logit : nextFloatBelow(previous));
  }
  for (const id of rest) {
    const beneath = previous === Infinity ? 0 : Math.fround(previous - 1);
    append(id, beneath < previous ? beneath : nextFloatBelow(previous));
  }
  return lines;
}

/**
 * @param what names the value in the message: "tag", "query id"
 * @throws RankmillError `invalid_field` for what a column of a TREC file cannot hold
 */
export function assertTrecToken(value: string, what: string): void {
  if (value === "" || ANY_BLANK.test(value)) {
    throw new RankmillError(
      "invalid_field",
      `${what} ${JSON.stringify(value)} cannot stand in a TREC file: it is empty or has white space`,
    );
  }
}

/** The largest 32-bit float below a finite 32-bit float. */
function nextFloatBelow(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  // Zero has two representations; below both lies the smallest negative number.
  view.setFloat32(0, value === 0 ? -0 : value);
  const bits = view.getInt32(0);
  view.setInt32(0, value > 0 ? bits - 1 : bits + 1);
  return view.getFloat32(0);
}

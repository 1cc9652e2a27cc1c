import type { RerankRequest } from "../core/contract.js";
import { DistinctCount } from "./distinct-count.js";
import type { RecordFailure, InputRecord } from "../core/record.js";

/** One (query, document) pair of the input. */
export interface SampledPair {
  readonly query: string;
  /** Its beginning, if it is very long. */
  readonly document: string;
  /** Characters of the whole document. */
  readonly documentChars: number;
}

/** The contents of an input, none of it scored. */
export interface DryRunSample {
  readonly records: number;
  /** Failures: lines that cannot be a record, candidates that a corpus lacks. */
  readonly failed: number;
  /** The first of them. */
  readonly failures: readonly RecordFailure[];
  readonly pairs: number;
  /** Different documents; an estimate if there are very many. */
  readonly differentDocuments: number;
  /** UTF-8 bytes of all requests as JSON. */
  readonly requestBytes: number;
  /** UTF-8 bytes of all rankings as JSONL; an estimate. */
  readonly rankingBytes: number;
  /** Pairs drawn evenly from all of them; all of them if there are no more. */
  readonly sample: readonly SampledPair[];
  /** Mean of what `storedBytes` says, over requests drawn evenly. */
  readonly meanStoredBytes: number;
}

export interface DryRunSampleOptions {
  /** Bytes that a request takes where jobs are kept. */
  readonly storedBytes: (request: RerankRequest) => Promise<number>;
  /** True if each result names a window of its document. */
  readonly namesWindows?: boolean;
  /** Called after each record. */
  readonly onRecord?: (records: number) => void;
}

/** A share measured on these has a standard error of 0.8 points at the most. */
const SAMPLE_PAIRS = 4_000;
/** Requests whose stored size is measured. */
const SAMPLE_REQUESTS = 100;
/**
 * Characters of a document that a sample keeps: more than any model's max length in tokens (8,192)
 * has in any text but one of blanks.
 */
const SAMPLE_CHARS = 65_536;
const FAILURES_KEPT = 5;

/** `{"id":"","model":"…","results":[],"usage":{"pairs":20,"tokens":2400,"truncated":0}}` and an end. */
const RANKING_BYTES = 110;
/** `{"index":12,"id":"","relevance_score":0.912345678901234,"logit":2.345678901234567},` */
const RESULT_BYTES = 84;
/** `"window":{"start":12345,"end":14567,"token_start":1234,"token_end":1678},"windows":12,` */
const WINDOW_BYTES = 85;

/** Reads all of `records` once, in memory that does not grow with them. */
export async function sampleRecords(
  records: AsyncIterable<InputRecord>,
  options: DryRunSampleOptions,
): Promise<DryRunSample> {
  const pairs = new Reservoir<SampledPair>(SAMPLE_PAIRS);
  const stored = new Reservoir<number>(SAMPLE_REQUESTS);
  const failures: RecordFailure[] = [];
  const different = new DistinctCount();
  const sums = { records: 0, failed: 0, requestBytes: 0, rankingBytes: 0 };
  for await (const record of records) {
    if (record.status === "invalid") {
      sums.failed += 1;
      if (failures.length < FAILURES_KEPT) failures.push(record.failure);
      continue;
    }
    const { request, bytes } = record;
    sums.records += 1;
    sums.requestBytes += bytes;
    sums.rankingBytes += rankingBytes(request, options.namesWindows === true);
    const place = stored.draw();
    if (place !== undefined) stored.put(place, await options.storedBytes(request));
    for (const { text } of request.documents) {
      different.add(text);
      const at = pairs.draw();
      if (at !== undefined) pairs.put(at, surveyPair(request.query, text));
    }
    options.onRecord?.(sums.records);
  }
  const sizes = stored.items;
  return {
    ...sums,
    failures,
    pairs: pairs.offered,
    differentDocuments: different.count,
    sample: pairs.items,
    meanStoredBytes: sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length),
  };
}

function rankingBytes(
  { id, documents, topN, metadata }: RerankRequest,
  namesWindows: boolean,
): number {
  const resultBytes = RESULT_BYTES + (namesWindows ? WINDOW_BYTES : 0);
  const share = topN === undefined ? 1 : Math.min(1, topN / Math.max(1, documents.length));
  const ids = documents.reduce((sum, document) => sum + (document.id?.length ?? 0), 0);
  const results = (documents.length * resultBytes + ids) * share;
  const returned = metadata === undefined ? 0 : JSON.stringify(metadata).length;
  return RANKING_BYTES + id.length + results + returned;
}

function surveyPair(query: string, text: string): SampledPair {
  return { query, document: ownStart(text), documentChars: text.length };
}

/** A part of a string would keep the whole of it in memory. */
function ownStart(text: string): string {
  if (text.length <= SAMPLE_CHARS) return text;
  return Buffer.from(text.slice(0, SAMPLE_CHARS)).toString();
}

/** An even sample of a stream of unknown length (Vitter's algorithm R), the same every time. */
class Reservoir<T> {
  readonly items: T[] = [];
  offered = 0;
  readonly #size: number;
  readonly #random = xorshift();

  constructor(size: number) {
    this.#size = size;
  }

  /** Offers the next of the stream. @returns its place in the sample, undefined: left out */
  draw(): number | undefined {
    const place =
      this.offered < this.#size ? this.offered : Math.floor(this.#random() * (this.offered + 1));
    this.offered += 1;
    return place < this.#size ? place : undefined;
  }

  put(place: number, item: T): void {
    this.items[place] = item;
  }
}

/** Marsaglia's xorshift32: even enough for a sample, and without a seed from outside. */
function xorshift(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

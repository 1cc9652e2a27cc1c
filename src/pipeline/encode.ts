import type { RerankRequest } from "../core/contract.js";
import type { ScoringOptions } from "../core/job.js";
import type { EncodedPair, Tokenizer } from "../core/ports.js";
import { assemblePair, type PairTemplate } from "../core/pair-assembly.js";

/** Documents tokenised between two looks at the signal: bounds what a cancelled job still costs. */
const DOCUMENTS_PER_CALL = 64;
/**
 * Characters of one slice, unless one document has more: a tokenizer's thread gets a copy of them,
 * and a job of megabyte documents must not be copied whole.
 */
const CALL_CHARS = 1_048_576;

/**
 * Encodes a request's pairs: the query once, its documents in slices.
 *
 * @returns one pair a document, in order, none longer than `options.maxLength` tokens
 */
export async function encodePairs(
  request: RerankRequest,
  options: ScoringOptions,
  tokenizer: Tokenizer,
  template: PairTemplate,
  signal: AbortSignal,
): Promise<EncodedPair[]> {
  const pairs: EncodedPair[] = [];
  if (request.documents.length === 0) return pairs;
  const [query = new Int32Array()] = await tokenizer.encode([request.query], options.maxLength);
  for (const texts of slicesOf(request.documents)) {
    signal.throwIfAborted();
    for (const ids of await tokenizer.encode(texts, options.maxLength)) {
      pairs.push(assemblePair(template, query, ids, options));
    }
  }
  return pairs;
}

function* slicesOf(documents: RerankRequest["documents"]): Generator<string[]> {
  let slice: string[] = [];
  let chars = 0;
  for (const { text } of documents) {
    const full = slice.length === DOCUMENTS_PER_CALL || chars + text.length > CALL_CHARS;
    if (full && slice.length > 0) {
      yield slice;
      slice = [];
      chars = 0;
    }
    slice.push(text);
    chars += text.length;
  }
  if (slice.length > 0) yield slice;
}

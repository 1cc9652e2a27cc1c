import type { RerankRequest } from "../core/contract.js";
import type { ScoringOptions } from "../core/job.js";
import type { EncodedPair, Tokenizer } from "../core/ports.js";
import { assemblePair, type PairTemplate } from "../core/pair-assembly.js";

/** Documents tokenised between two looks at the signal: bounds what a cancelled job still costs. */
const DOCUMENTS_PER_CALL = 64;

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
  for (let at = 0; at < request.documents.length; at += DOCUMENTS_PER_CALL) {
    signal.throwIfAborted();
    const texts = request.documents.slice(at, at + DOCUMENTS_PER_CALL).map(({ text }) => text);
    for (const ids of await tokenizer.encode(texts, options.maxLength)) {
      pairs.push(assemblePair(template, query, ids, options));
    }
  }
  return pairs;
}

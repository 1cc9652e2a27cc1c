import type { RerankRequest } from "../../core/contract.js";
import type { ResolvedScoring } from "../../core/job.js";
import type { EncodedPair } from "../../core/pair.js";
import type { PairOrigin, PairPart } from "../../core/document-score.js";
import { PairMaker, type PairEncoder, type MadePair } from "./pair-maker.js";
import { textSlices } from "./text-slices.js";

/**
 * Tokens of the pairs that a job has encoded at once, one document's windows more: what splitting
 * adds to a job's memory must not grow with the job. Enough for several batches on each lane.
 */
const PART_TOKENS = 262_144;

/**
 * Encodes a request's pairs, the query once and the documents in slices, and hands them on in parts.
 *
 * @returns pairs of no more than `scoring.maxLength` tokens: one a document, or one a window of it,
 *   in order
 */
export async function* encodeParts(
  { query, documents }: Pick<RerankRequest, "query" | "documents">,
  scoring: ResolvedScoring,
  encoder: PairEncoder,
  signal: AbortSignal,
): AsyncGenerator<PairPart, void, undefined> {
  if (documents.length === 0) return;
  const { tokenizer } = encoder;
  const [queryIds = new Int32Array()] = await tokenizer.encode([query], scoring.maxLength);
  const reader = new PairMaker(queryIds, scoring, encoder);
  let part = new GrowingPart();
  let document = 0;
  for (const texts of textSlices(documents.map(({ text }) => text))) {
    signal.throwIfAborted();
    const encoded = await tokenizer.encode(texts, reader.tokensToKnow);
    for (const [i, ids] of encoded.entries()) {
      part.add(document, await reader.read(texts[i] ?? "", ids, signal));
      document += 1;
      if (part.tokens >= PART_TOKENS) {
        yield part;
        part = new GrowingPart();
      }
    }
  }
  if (part.pairs.length > 0) yield part;
}

class GrowingPart implements PairPart {
  readonly pairs: EncodedPair[] = [];
  readonly origins: PairOrigin[] = [];
  tokens = 0;

  add(document: number, pairs: readonly MadePair[]): void {
    for (const { pair, ...origin } of pairs) {
      this.pairs.push(pair);
      this.origins.push({ document, ...origin });
      this.tokens += pair.ids.length;
    }
  }
}

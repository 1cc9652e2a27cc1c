import type { RerankRequest } from "../core/contract.js";
import type { Scoring } from "../core/job.js";
import { assemblePair, roomForDocument, type PairTemplate } from "../core/pair-assembly.js";
import type { EncodedPair, Tokenizer } from "../core/ports.js";
import type { PairOrigin, PairPart } from "../core/reading.js";
import { encodeWindows } from "./encode-windows.js";
import { textSlices } from "./text-slices.js";

/**
 * Tokens of the pairs that a job has encoded at once, a document's windows more: what a long
 * document adds to its job's memory must not grow with the document. Several batches for each lane.
 */
const PART_TOKENS = 262_144;

/** What a job's texts are encoded with. */
export interface PairEncoder {
  readonly tokenizer: Tokenizer;
  readonly template: PairTemplate;
}

/**
 * Encodes a request's pairs, the query once and the documents in slices, and hands them on in parts.
 *
 * @returns pairs of no more than `scoring.maxLength` tokens: one a document, or one a window of it,
 *   in order
 */
export async function* encodeParts(
  { query, documents }: Pick<RerankRequest, "query" | "documents">,
  scoring: Scoring,
  { tokenizer, template }: PairEncoder,
  signal: AbortSignal,
): AsyncGenerator<PairPart, void, undefined> {
  if (documents.length === 0) return;
  const [queryIds = new Int32Array()] = await tokenizer.encode([query], scoring.maxLength);
  const limit = scoring.maxTokensPerDoc === 0 ? Infinity : scoring.maxTokensPerDoc;
  const room = roomForDocument(template, queryIds.length, scoring);
  const isSplit = scoring.longDocuments === "windows";
  const most = isSplit ? Math.min(room, limit) : limit;
  const assemble = (ids: Int32Array): EncodedPair => assemblePair(template, queryIds, ids, scoring);

  let part = new GrowingPart();
  let document = 0;
  for (const texts of textSlices(documents.map(({ text }) => text))) {
    signal.throwIfAborted();
    const encoded = await tokenizer.encode(texts, Math.min(scoring.maxLength, limit));
    for (const [i, ids] of encoded.entries()) {
      const text = texts[i] ?? "";
      if (isSplit && room > 0 && ids.length > most) {
        const windows = encodeWindows(text, { ...scoring, room, limit }, tokenizer, signal);
        for (const { ids: windowIds, window, isCut } of await windows) {
          part.add(marked(assemble(windowIds), isCut), { document, window });
        }
      } else {
        const kept = ids.subarray(0, most);
        const pair = marked(assemble(kept), kept.length < ids.length);
        part.add(pair, isSplit ? { document, window: wholeOf(text, kept.length) } : { document });
      }
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

  add(pair: EncodedPair, origin: PairOrigin): void {
    this.pairs.push(pair);
    this.origins.push(origin);
    this.tokens += pair.ids.length;
  }
}

function marked(pair: EncodedPair, isCut: boolean): EncodedPair {
  return isCut ? { ...pair, truncated: true } : pair;
}

function wholeOf(text: string, tokens: number): PairOrigin["window"] & object {
  return { start: 0, end: text.length, tokenStart: 0, tokenEnd: tokens };
}

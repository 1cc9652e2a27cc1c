import type { RerankRequest } from "../../core/contract.js";
import type { ResolvedScoring } from "../../core/job.js";
import type { EncodedPair } from "../../core/pair.js";
import type { PairOrigin, PairPart, UnreadDocument } from "../../core/document-score.js";
import { withAround, type PairTemplate } from "../../core/pair-assembly.js";
import { templateOfPrompt } from "../../core/prompt-template.js";
import { RankmillError } from "../../core/errors.js";
import type { Tokenizer } from "../../core/ports/tokenizer.js";
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
 * @returns pairs of no more than `scoring.maxLength` tokens: one per document, or one per window of it,
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
  const template = await templateFor(encoder, scoring.instruction);
  const { aroundQuery, aroundDocument } = template;
  const queryText = withAround(query, aroundQuery);
  const [queryIds = new Int32Array()] = await tokenizer.encode([queryText], scoring.maxLength);
  const reader = new PairMaker(queryIds, scoring, { tokenizer, template });
  let part = new GrowingPart();
  let document = 0;
  for (const texts of textSlices(documents.map(({ text }) => text))) {
    signal.throwIfAborted();
    const asked = texts.map((text) => withAround(text, aroundDocument));
    for (const [i, ids] of (await encodeEach(tokenizer, asked, reader.tokensToKnow)).entries()) {
      if (ids instanceof RankmillError) part.addUnread(document, ids);
      else part.add(document, await reader.read(texts[i] ?? "", ids, signal));
      document += 1;
      if (part.tokens >= PART_TOKENS) {
        yield part;
        part = new GrowingPart();
      }
    }
  }
  if (part.pairs.length + part.unread.length > 0) yield part;
}

/** The template of a job's pairs. The tokenizer reads an instruction once per job, beside its query. */
async function templateFor(
  { template, tokenizer }: PairEncoder,
  instruction: string | undefined,
): Promise<PairTemplate> {
  const { prompt } = template;
  if (prompt === undefined || instruction === undefined) return template;
  return await templateOfPrompt(prompt, template, instruction, async (text) => {
    const [ids = new Int32Array()] = await tokenizer.encode([text]);
    return ids;
  });
}

/** @returns for each text its ids, or why it cannot be read: the others are read all the same */
async function encodeEach(
  tokenizer: Tokenizer,
  texts: readonly string[],
  atLeastTokens: number,
): Promise<readonly (Int32Array | RankmillError)[]> {
  try {
    return await tokenizer.encode(texts, atLeastTokens);
  } catch (error) {
    if (!(error instanceof RankmillError) || error.code !== "text_not_bounded") throw error;
    if (texts.length === 1) return [error];
  }
  const each: (Int32Array | RankmillError)[] = [];
  for (const text of texts) each.push(...(await encodeEach(tokenizer, [text], atLeastTokens)));
  return each;
}

class GrowingPart implements PairPart {
  readonly pairs: EncodedPair[] = [];
  readonly origins: PairOrigin[] = [];
  readonly unread: UnreadDocument[] = [];
  tokens = 0;

  addUnread(document: number, { message }: RankmillError): void {
    const failure = { status: "failed", code: "text_not_bounded", message } as const;
    this.unread.push({ document, failure });
  }

  add(document: number, pairs: readonly MadePair[]): void {
    for (const { pair, ...origin } of pairs) {
      this.pairs.push(pair);
      this.origins.push({ document, ...origin });
      this.tokens += pair.ids.length;
    }
  }
}

import type { ScoringOptions } from "./job.js";
import { RankmillError } from "./errors.js";
import type { EncodedPair } from "./pair.js";
import type { PromptTemplate } from "./prompt-template.js";

/** The tokens that a model's tokenizer puts around a query and a document. */
export interface PairTemplate {
  /** Ids before the query. */
  readonly prefix: readonly number[];
  /** Ids between query and document. */
  readonly middle: readonly number[];
  /** Ids after the document. */
  readonly suffix: readonly number[];
  /**
   * True if the document and what follows it have token type 1 (BERT), false if every token
   * has type 0 (XLM-R).
   */
  readonly segmentTypeIds: boolean;
  /** Fills the rows of a batch; masked, so that it never changes a score. */
  readonly padId: number;
  /** True if the document stands before the query. */
  readonly documentFirst?: boolean;
  /** Texts that are tokenised with the query, and with the document. */
  readonly aroundQuery?: TextAround | undefined;
  readonly aroundDocument?: TextAround | undefined;
  /** Makes the templates of other instructions. */
  readonly prompt?: PromptTemplate;
}

/** Texts that stand directly before and after another, and are tokenised with it. */
export interface TextAround {
  readonly before: string;
  readonly after: string;
  /** Tokens of both alone. */
  readonly tokens: number;
  /** Ids of `after` alone: a text that is cut ends with them. */
  readonly afterIds: readonly number[];
}

/** The settings that decide where a pair is cut. */
export type LengthOptions = Pick<ScoringOptions, "maxLength" | "truncation">;

/**
 * FlagEmbedding's FlagReranker cuts a query at `max_length * 3 // 4` tokens, special tokens not
 * counted among the query's but counted in `max_length`.
 */
const QUERY_SHARE_NUMERATOR = 3;
const QUERY_SHARE_DENOMINATOR = 4;

/**
 * Joins a query and a document to the ids that the model reads, cut to `maxLength` tokens, special
 * tokens included. Those are never cut.
 *
 * `only-second`: the query keeps at most `floor(maxLength × 3 / 4)` tokens, and no more than fit
 * beside the special tokens; the document's tail is cut to what is left. The rule is FlagEmbedding's, except
 * that for a `maxLength` under 17 tokens, where its rule leaves no room for the document, we cut
 * the document away and it exceeds `max_length`.
 *
 * `longest-first`: the same as `longest_first` of Hugging Face's `tokenizers`. The longer one is cut down to
 * the room that the shorter one leaves, and if both exceed half of it, each keeps half; of an
 * odd number, the longer one (the document, if equal) keeps the token more. Tokens beyond
 * `maxLength` do not make one longer than the other, so that the pair does not depend on how far
 * its texts were read; versions of the library before 0.23 count them all, later ones those up to
 * the word that reaches `maxLength`.
 *
 * @throws RankmillError `invalid_field` if `maxLength` leaves no token beside the special ones
 */
export function assemblePair(
  template: PairTemplate,
  queryIds: Int32Array,
  documentIds: Int32Array,
  options: LengthOptions,
): EncodedPair {
  const { prefix, middle, suffix, segmentTypeIds, documentFirst = false } = template;
  const tellsApart = segmentTypeIds || (template.prompt !== undefined && !documentFirst);
  const kept = keptTokens(template, queryIds.length, documentIds.length, options);
  const query = cutTo(queryIds, kept.query, template.aroundQuery);
  const document = cutTo(documentIds, kept.document, template.aroundDocument);
  const [first, second] = documentFirst ? [document, query] : [query, document];

  const secondStart = prefix.length + first.length + middle.length;
  const ids = new Int32Array(secondStart + second.length + suffix.length);
  ids.set(prefix, 0);
  ids.set(first, prefix.length);
  ids.set(middle, prefix.length + first.length);
  ids.set(second, secondStart);
  ids.set(suffix, secondStart + second.length);
  return {
    ids,
    secondStart: tellsApart ? secondStart : ids.length,
    truncated: kept.query < queryIds.length || kept.document < documentIds.length,
  };
}

/** The first ids of a text. If it is cut, the text after it stays, in place of the last of these ids. */
export function cutTo(ids: Int32Array, most: number, around: TextAround | undefined): Int32Array {
  if (ids.length <= most) return ids;
  const { afterIds = [] } = around ?? {};
  if (afterIds.length === 0 || afterIds.length > most) return ids.subarray(0, most);
  const cut = ids.slice(0, most);
  cut.set(afterIds, most - afterIds.length);
  return cut;
}

/** A text as it is tokenised for a pair. */
export function withAround(text: string, around: TextAround | undefined): string {
  return around === undefined ? text : around.before + text + around.after;
}

/**
 * Tokens that a pair keeps of a document that has more than enough of them.
 *
 * @throws as `assemblePair`
 */
export function roomForDocument(
  template: PairTemplate,
  queryTokens: number,
  options: LengthOptions,
): number {
  return keptTokens(template, queryTokens, options.maxLength, options).document;
}

/**
 * Tokens beside a template's special ones.
 *
 * @throws RankmillError `invalid_field` if there are none
 */
export function roomForText(template: PairTemplate, maxLength: number): number {
  const specials = template.prefix.length + template.middle.length + template.suffix.length;
  if (maxLength <= specials) {
    const isAsked = template.prompt !== undefined;
    const what = isAsked ? "prompt, with its instruction, takes" : "special tokens take";
    const remedy = isAsked ? ", or a shorter instruction" : "";
    const message = `maxLength: is ${maxLength} tokens, of which this model's ${what} ${specials}: give at least ${specials + 1}${remedy}`;
    throw new RankmillError("invalid_field", message, { field: "maxLength" });
  }
  return maxLength - specials;
}

interface Kept {
  readonly query: number;
  readonly document: number;
}

function keptTokens(
  template: PairTemplate,
  query: number,
  document: number,
  { maxLength, truncation }: LengthOptions,
): Kept {
  const room = roomForText(template, maxLength);
  return truncation === "longest-first"
    ? longestFirst(Math.min(query, maxLength), Math.min(document, maxLength), room)
    : onlySecond(query, document, room, maxLength);
}

function onlySecond(query: number, document: number, room: number, maxLength: number): Kept {
  const share = Math.floor((maxLength * QUERY_SHARE_NUMERATOR) / QUERY_SHARE_DENOMINATOR);
  const keptQuery = Math.min(query, share, room);
  return { query: keptQuery, document: Math.min(document, room - keptQuery) };
}

function longestFirst(query: number, document: number, room: number): Kept {
  if (query + document <= room) return { query, document };
  const shorter = Math.min(query, document);
  const half = Math.floor(room / 2);
  const keptShorter = Math.min(shorter, half);
  const keptLonger = room - keptShorter;
  return query > document
    ? { query: keptLonger, document: keptShorter }
    : { query: keptShorter, document: keptLonger };
}

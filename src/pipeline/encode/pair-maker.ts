import type { ResolvedScoring } from "../../core/job.js";
import {
  assemblePair,
  cutTo,
  roomForDocument,
  type PairTemplate,
} from "../../core/pair-assembly.js";
import type { EncodedPair } from "../../core/pair.js";
import type { Tokenizer } from "../../core/ports/tokenizer.js";
import type { TextWindow } from "../../core/document-score.js";
import { encodeWindows } from "./encode-windows.js";

/** The parts that encode a job's texts. */
export interface PairEncoder {
  readonly tokenizer: Tokenizer;
  readonly template: PairTemplate;
}

export interface MadePair {
  readonly pair: EncodedPair;
  /** Present if the job splits long documents, also for one that fits whole. */
  readonly window?: TextWindow;
}

/** Makes the pairs of one query: one for each document, or for each window of it. */
export class PairMaker {
  readonly #queryIds: Int32Array;
  readonly #scoring: ResolvedScoring;
  readonly #encoder: PairEncoder;
  /** Tokens of a document, and of the texts around it, that may be read. */
  readonly #limit: number;
  /** Tokens of it that fit beside the query. */
  readonly #room: number;

  /** @throws RankmillError `invalid_field` if the max length leaves no token but special ones */
  constructor(queryIds: Int32Array, scoring: ResolvedScoring, encoder: PairEncoder) {
    this.#queryIds = queryIds;
    this.#scoring = scoring;
    this.#encoder = encoder;
    const { aroundDocument } = encoder.template;
    const { maxTokensPerDoc: most } = scoring;
    this.#limit = most === 0 ? Infinity : most + (aroundDocument?.tokens ?? 0);
    this.#room = roomForDocument(encoder.template, queryIds.length, scoring);
  }

  /** Ids of a text that `read` looks at; it must know whether there are more. */
  get tokensToKnow(): number {
    return Math.min(this.#scoring.maxLength, this.#limit);
  }

  /** @param ids of `text` and the texts around it, `tokensToKnow` of them and one more, or all there are */
  async read(text: string, ids: Int32Array, signal: AbortSignal): Promise<MadePair[]> {
    if (this.#scoring.longDocuments === "truncate") return [{ pair: this.#cut(ids, this.#limit) }];
    const most = Math.min(this.#room, this.#limit);
    // Beside a query that takes all the room no window could read anything.
    if (ids.length > most && this.#room > 0) return await this.#split(text, signal);
    const tokenEnd = Math.min(ids.length, most);
    const window = { start: 0, end: text.length, tokenStart: 0, tokenEnd };
    return [{ pair: this.#cut(ids, most), window }];
  }

  async #split(text: string, signal: AbortSignal): Promise<MadePair[]> {
    const { aroundDocument: around } = this.#encoder.template;
    const limit = this.#limit - (around?.tokens ?? 0);
    const options = { ...this.#scoring, room: this.#room, limit, around };
    const windows = await encodeWindows(text, options, this.#encoder.tokenizer, signal);
    return windows.map(({ ids, window, isCut }) => ({ pair: this.#pairOf(ids, isCut), window }));
  }

  #cut(ids: Int32Array, most: number): EncodedPair {
    const { aroundDocument } = this.#encoder.template;
    return this.#pairOf(cutTo(ids, most, aroundDocument), ids.length > most);
  }

  #pairOf(ids: Int32Array, isCut: boolean): EncodedPair {
    const pair = assemblePair(this.#encoder.template, this.#queryIds, ids, this.#scoring);
    return isCut ? { ...pair, truncated: true } : pair;
  }
}

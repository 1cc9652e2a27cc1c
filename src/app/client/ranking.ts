import { rankingSchema, type WireRanking } from "../../core/contract.js";
import type { WorkTimes } from "../../core/rank-call.js";
import { parseStored } from "../../core/stored-json.js";
import type { TextWindow } from "../../core/document-score.js";

/** One document of a ranking. */
export interface RankedDocument {
  /** Place of the document in the request, from 0. */
  readonly index: number;
  /** The document's id, if the request gave one. */
  readonly id?: string;
  /** The logit after the model's activation, 0 … 1 for a sigmoid; or the logit, if asked for. */
  readonly relevanceScore: number;
  /** The model's raw output; of a document's windows the highest. */
  readonly logit: number;
  /** True if tokens of the document or of the query were not read. */
  readonly truncated: boolean;
  /** The window that the logit is from; only if long documents are split into windows. */
  readonly window?: TextWindow;
  /** Windows of the document that were scored; present if `window` is. */
  readonly windows?: number;
}

/** A ranking as the library gives it: best first by logit, ties by index. */
export interface Ranking {
  readonly id: string;
  readonly model: string;
  readonly results: readonly RankedDocument[];
  /** Documents that could not be scored; the others are ranked all the same. */
  readonly errors: readonly {
    readonly index: number;
    readonly code: string;
    readonly message: string;
  }[];
  readonly usage: { readonly pairs: number; readonly tokens: number; readonly truncated: number };
  /** Milliseconds of a worker's work; only in rankings that a gateway asked for. */
  readonly times?: WorkTimes;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * An output line in the library's shape.
 *
 * @param what the line and its place, for the error
 * @throws RankmillError if it is damaged
 */
export function rankingOf(line: string, what: string): Ranking {
  return toRanking(parseStored(rankingSchema, line, what));
}

function toRanking(wire: WireRanking): Ranking {
  return {
    id: wire.id,
    model: wire.model,
    results: wire.results.map((result) => ({
      index: result.index,
      ...(result.id === undefined ? {} : { id: result.id }),
      relevanceScore: result.relevance_score,
      logit: result.logit,
      truncated: result.truncated ?? false,
      ...(result.window === undefined ? {} : { window: toWindow(result.window) }),
      ...(result.windows === undefined ? {} : { windows: result.windows }),
    })),
    errors: wire.errors ?? [],
    usage: wire.usage,
    ...(wire.times === undefined
      ? {}
      : {
          times: {
            tokenizationMs: wire.times.tokenization_ms,
            inferenceMs: wire.times.inference_ms,
          },
        }),
    ...(wire.metadata === undefined ? {} : { metadata: wire.metadata }),
  };
}

function toWindow(wire: NonNullable<WireRanking["results"][number]["window"]>): TextWindow {
  const { start, end, token_start: tokenStart, token_end: tokenEnd } = wire;
  return { start, end, tokenStart, tokenEnd };
}

import type { Tokenizer } from "../../core/ports/tokenizer.js";
import type { TextWindow } from "../../core/document-score.js";
import { cutTo, withAround, type TextAround } from "../../core/pair-assembly.js";
import { endOfPiece, pieceChars } from "./text-pieces.js";
import { planWindows } from "./window-plan.js";
import { textSlices } from "./text-slices.js";

/** Characters whose pieces are counted in one call: some milliseconds of the tokenizer's thread. */
const COUNT_CHARS = 65_536;
/**
 * A cut inside a word can make its parts fewer tokens than the whole has. If a window then has
 * more tokens than were counted, the document is planned again for this share of the room; what
 * still does not fit is cut off.
 */
const ROOM_SHARES: readonly number[] = [1, 0.9, 0.75];

export interface WindowOptions {
  /** Texts that are tokenised with each window's. */
  readonly around?: TextAround | undefined;
  /** Tokens of a document that fit beside the query; at least 1. */
  readonly room: number;
  /** Tokens of the document that are read. */
  readonly limit: number;
  readonly overlapTokens: number;
  readonly maxWindows: number;
}

export interface EncodedWindow {
  /** Ids of the window's text as if it were a document, at most `room` of them. */
  readonly ids: Int32Array;
  readonly window: TextWindow;
  /** True if tokens were cut off, or, in the last window, if the text goes on unread. */
  readonly isCut: boolean;
}

/**
 * Splits a document into overlapping windows. The text is cut, never the ids: a window is a slice of
 * the text, encoded by itself, so that it has the score that the slice would have as a document, and
 * its place is known to the character whatever the tokenizer does to characters.
 */
export async function encodeWindows(
  text: string,
  options: WindowOptions,
  tokenizer: Tokenizer,
  signal: AbortSignal,
): Promise<EncodedWindow[]> {
  const pieces = await countPieces(text, options, tokenizer, signal);
  return await encodePieces(text, pieces, options, ROOM_SHARES, tokenizer, signal);
}

/** The pieces of a text, as far as any window can reach. */
interface CountedPieces {
  /** End of each in the text; the next begins there. */
  readonly ends: readonly number[];
  readonly tokens: readonly number[];
}

async function countPieces(
  text: string,
  { room, limit, maxWindows }: WindowOptions,
  tokenizer: Tokenizer,
  signal: AbortSignal,
): Promise<CountedPieces> {
  const reach = Math.min(limit, room * maxWindows);
  const maxChars = pieceChars(room);
  const ends: number[] = [];
  const tokens: number[] = [];
  let at = 0;
  for (let counted = 0; at < text.length && counted <= reach;) {
    signal.throwIfAborted();
    const pieces: string[] = [];
    const stop = at + COUNT_CHARS;
    while (at < text.length && at < stop) {
      const end = endOfPiece(text, at, maxChars);
      pieces.push(text.slice(at, end));
      ends.push(end);
      at = end;
    }
    for (const { length } of await tokenizer.encode(pieces)) {
      tokens.push(length);
      counted += length;
    }
  }
  return { ends, tokens };
}

async function encodePieces(
  text: string,
  pieces: CountedPieces,
  options: WindowOptions,
  [share = 1, ...smallerShares]: readonly number[],
  tokenizer: Tokenizer,
  signal: AbortSignal,
): Promise<EncodedWindow[]> {
  const { around, limit, overlapTokens, maxWindows } = options;
  const { tokens: aroundTokens = 0 } = around ?? {};
  const room = Math.max(1, options.room - aroundTokens);
  const roomTokens = Math.max(1, Math.floor(room * share));
  const plan = planWindows(pieces.tokens, {
    roomTokens,
    overlapTokens: Math.min(overlapTokens, Math.floor(roomTokens / 2)),
    maxWindows,
    maxTokens: limit,
  });
  const spans = plan.windows.map(({ firstPiece, endPiece, tokensBefore }) => ({
    start: pieces.ends[firstPiece - 1] ?? 0,
    end: pieces.ends[endPiece - 1] ?? 0,
    tokensBefore,
    maxTokens: Math.min(room, limit - tokensBefore) + aroundTokens,
  }));
  const encoded: Int32Array[] = [];
  const texts = spans.map(({ start, end }) => withAround(text.slice(start, end), around));
  for (const some of textSlices(texts)) {
    signal.throwIfAborted();
    encoded.push(...(await tokenizer.encode(some, options.room)));
  }
  const windows = spans.map((span, i) => ({ ...span, ids: encoded[i] ?? new Int32Array() }));
  // If the document's limit ends a window, its text goes on to the end of a piece.
  const mostTokens = room + aroundTokens;
  const isOver = windows.some(({ ids, maxTokens }) => {
    return maxTokens === mostTokens && ids.length > mostTokens;
  });
  if (isOver && smallerShares.length > 0) {
    return await encodePieces(text, pieces, options, smallerShares, tokenizer, signal);
  }
  const readsAll = plan.readsAll && pieces.ends.at(-1) === text.length;
  return windows.map(({ start, end, tokensBefore, maxTokens, ids }, i) => {
    const kept = cutTo(ids, maxTokens, around).slice();
    const goesOn = i === windows.length - 1 && !readsAll;
    return {
      ids: kept,
      window: {
        start,
        end,
        tokenStart: tokensBefore,
        tokenEnd: tokensBefore + kept.length - aroundTokens,
      },
      isCut: kept.length < ids.length || goesOn,
    };
  });
}

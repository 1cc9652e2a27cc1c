/**
 * The places at which a text may be cut so that each part reads as it would in the whole: before the blanks that
 * follow a word, so that a word keeps the blank before it (for a byte-level tokenizer " mill" and
 * "mill" are other tokens). Within a stretch without blanks, a long word or Chinese, a cut lies between
 * two characters and never before a combining mark, a joiner or a variation selector, unless there
 * is nothing else.
 */

/** A piece is some 15 tokens of English: windows made of whole pieces lose half of one, 2 %. */
const MOST_PIECE_CHARS = 64;
/**
 * More tokens than tokenizers make of a code unit, which has three bytes at most: a piece has no more
 * tokens than a window has room for. (A few ligatures become whole words; such a piece is cut off.)
 */
const TOKENS_PER_CHAR = 4;
/** Below it a code unit has two bytes at most: a word of such may be twice as long as other pieces. */
const FIRST_OF_THREE_BYTES = 0x0800;

const BLANK = /\s/;
const JOINS_THE_ONE_BEFORE = /^[\p{M}\u200d]/u;
const ZERO_WIDTH_JOINER = "\u200d";

/** UTF-16 code units of a piece that, in windows of `roomTokens`, leaves little of one unused. */
export function pieceChars(roomTokens: number): number {
  return Math.min(MOST_PIECE_CHARS, Math.max(1, Math.floor(roomTokens / TOKENS_PER_CHAR)));
}

/**
 * The end of the piece of `text` that starts at `from`: after at most `maxChars` code units, or after
 * one character if that has more, or after one word of up to twice as many.
 */
export function endOfPiece(text: string, from: number, maxChars: number): number {
  const furthest = from + maxChars;
  if (furthest >= text.length) return text.length;
  for (let at = furthest; at > from; at -= 1) {
    if (isBlankAt(text, at) && !isBlankAt(text, at - 1)) return at;
  }
  const endOfWord = endOfLongWord(text, from, maxChars);
  if (endOfWord !== undefined) return endOfWord;
  for (let at = furthest; at > from; at -= 1) {
    if (isBetweenCharacters(text, at)) return at;
  }
  const end = splitsSurrogates(text, furthest) ? furthest - 1 : furthest;
  return end > from ? end : furthest + 1;
}

/** End of the word that reaches beyond `maxChars`; undefined if it does not end soon enough. */
function endOfLongWord(text: string, from: number, maxChars: number): number | undefined {
  const last = Math.min(from + 2 * maxChars, text.length);
  for (let at = from; at < last; at += 1) {
    if (text.charCodeAt(at) >= FIRST_OF_THREE_BYTES) return undefined;
    if (at >= from + maxChars && isBlankAt(text, at)) return at;
  }
  return last === text.length || isBlankAt(text, last) ? last : undefined;
}

function isBlankAt(text: string, at: number): boolean {
  return BLANK.test(text.charAt(at));
}

function isBetweenCharacters(text: string, at: number): boolean {
  if (splitsSurrogates(text, at) || text.charAt(at - 1) === ZERO_WIDTH_JOINER) return false;
  return !JOINS_THE_ONE_BEFORE.test(text.slice(at, at + 2));
}

function splitsSurrogates(text: string, at: number): boolean {
  const [before, after] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return before >= 0xd800 && before < 0xdc00 && after >= 0xdc00 && after < 0xe000;
}

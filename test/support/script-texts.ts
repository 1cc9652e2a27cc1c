/** Long texts of scripts in which tokenizers find few places to cut, or none. */
import { SeededRandom } from "./random.js";

/** The default of `--max-document-chars`. */
export const LONGEST_TEXT_CHARS = 4_194_304;
/** UTF-16 code units of a piece that is repeated; long enough that no tokenizer remembers it as a word. */
const PIECE_CHARS = 6_000;
const SEED = 11;

type Piece = (random: SeededRandom) => string;

const PIECES: Readonly<Record<string, Piece>> = {
  CJK: (random) => fromRange(random, 0x4e00, 0x9fa5),
  emoji: (random) => fromRange(random, 0x1f600, 0x1f64f),
  Cyrillic: (random) => words(random, 0x430, 0x44f),
  Thai: (random) => fromRange(random, 0xe01, 0xe30),
  "combining marks": (random) => `e${random.pick(["\u0301", "\u0327\u0308", "\u0300\u0316"])}`,
  "one word": (random) => fromRange(random, 0x61, 0x7a),
  "punctuation without blanks": (random) =>
    `${fromRange(random, 0x61, 0x7a)}${random.pick("!?,.;:-".split(""))}`,
};

export const SCRIPTS: readonly string[] = Object.keys(PIECES);

/** A piece of text in a script; `repeated` makes a text of any length of it. */
export function pieceOf(script: string): string {
  const random = new SeededRandom(SEED);
  const piece = PIECES[script];
  if (piece === undefined) throw new RangeError(`no script ${script}`);
  let text = "";
  while (text.length < PIECE_CHARS) text += piece(random);
  return text;
}

/** A text of at most `chars` UTF-16 code units, all of them in the script. */
export function longText(script: string, chars = LONGEST_TEXT_CHARS): string {
  const piece = pieceOf(script);
  return piece
    .repeat(Math.ceil(chars / piece.length))
    .slice(0, chars)
    .toWellFormed();
}

function fromRange(random: SeededRandom, first: number, last: number): string {
  return String.fromCodePoint(random.between(first, last));
}

function words(random: SeededRandom, first: number, last: number): string {
  const letters = Array.from({ length: random.between(2, 9) }, () =>
    fromRange(random, first, last),
  );
  return `${letters.join("")} `;
}

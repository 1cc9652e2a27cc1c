import { GRAPHEME_CLASS, graphemeClasses } from "./grapheme-classes.js";

const {
  control,
  extend,
  nonJoiner,
  joiner,
  linker,
  spacingMark,
  prepend,
  consonant,
  pictograph: PICTOGRAPH,
} = GRAPHEME_CLASS;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/**
 * Extended grapheme clusters (Unicode Standard Annex 29) as the Rust library finds them, but for
 * flags: pairs of regional indicators stay apart. They take eight bytes, and who asks looks at
 * clusters of up to five.
 */
export class GraphemeClusters {
  readonly #classes = graphemeClasses();

  /** True if `next` never belongs to what stands before it: the common case, told at once. */
  startsAlone(codePoint: number, next: number): boolean {
    const { other, consonant: letter } = GRAPHEME_CLASS;
    const [first, second] = [this.#classes[codePoint], this.#classes[next]];
    return (
      (first === other || first === letter) &&
      (second === other || second === letter || second === PICTOGRAPH) &&
      !joinsHangul(codePoint, next)
    );
  }

  /** @returns index after the cluster that begins at `at`; `text` is well-formed */
  end(text: string, at: number): number {
    let previous = text.codePointAt(at) ?? 0;
    let last = this.#classes[previous] ?? 0;
    let end = at + (previous > 0xffff ? 2 : 1);
    // A pictograph with extenders: 1; with a joiner after them: 2.
    let emoji = last === PICTOGRAPH ? 1 : 0;
    // A consonant with extenders: 1; with a linker among them: 2.
    let conjunct = last === consonant ? 1 : 0;
    while (end < text.length) {
      const next = text.codePointAt(end) ?? 0;
      const kind = this.#classes[next] ?? 0;
      if (last === control || kind === control) {
        return previous === CARRIAGE_RETURN && next === LINE_FEED ? end + 1 : end;
      }
      const joins =
        (kind >= extend && kind <= spacingMark) ||
        last === prepend ||
        (kind === PICTOGRAPH && emoji === 2) ||
        (kind === consonant && conjunct === 2) ||
        joinsHangul(previous, next);
      if (!joins) return end;
      if (kind === PICTOGRAPH) emoji = 1;
      else if (emoji === 1 && kind === joiner) emoji = 2;
      else if (emoji === 2 || !(kind === extend || kind === nonJoiner || kind === linker))
        emoji = 0;
      if (kind === consonant) conjunct = 1;
      else if (conjunct > 0 && kind === linker) conjunct = 2;
      else if (kind !== extend && kind !== joiner) conjunct = 0;
      previous = next;
      last = kind;
      end += next > 0xffff ? 2 : 1;
    }
    return end;
  }
}

const FIRST_SYLLABLE = 0xac00;
const LAST_SYLLABLE = 0xd7a3;
/** Syllables that share a leading consonant and a vowel: one without a final, then those with one. */
const FINALS = 28;

/** A syllable of Hangul that is written as several letters, or as a syllable and letters. */
function joinsHangul(previous: number, next: number): boolean {
  if (previous < 0x1100 || next < 0x1100) return false;
  const open = isSyllable(previous) && (previous - FIRST_SYLLABLE) % FINALS === 0;
  if (isLeading(previous)) return isLeading(next) || isVowel(next) || isSyllable(next);
  if (isVowel(previous) || open) return isVowel(next) || isFinal(next);
  return (isFinal(previous) || isSyllable(previous)) && isFinal(next);
}

function isSyllable(point: number): boolean {
  return point >= FIRST_SYLLABLE && point <= LAST_SYLLABLE;
}

function isLeading(point: number): boolean {
  return (point >= 0x1100 && point <= 0x115f) || (point >= 0xa960 && point <= 0xa97c);
}

function isVowel(point: number): boolean {
  return (point >= 0x1160 && point <= 0x11a7) || (point >= 0xd7b0 && point <= 0xd7c6);
}

function isFinal(point: number): boolean {
  return (point >= 0x11a8 && point <= 0x11ff) || (point >= 0xd7cb && point <= 0xd7fb);
}

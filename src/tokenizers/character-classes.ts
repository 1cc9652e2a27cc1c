/**
 * Classes of UTF-16 code units, as far as they decide where a text may be cut. A code unit has a class
 * only if it stands for a character by itself, was assigned by Unicode 6, never joins the character
 * before it (in no normal form, in no grapheme cluster) and begins so in each of its decompositions.
 * All others have none, and no cut lies beside them.
 */
export const CHARACTER_CLASS = {
  none: 0,
  letter: 1,
  /** A CJK ideograph, a letter as well. */
  ideograph: 2,
  /** 0 to 9. */
  digit: 3,
  punctuation: 4,
  /** U+0020. */
  space: 5,
  /** Other whitespace. */
  blank: 6,
} as const;

/** Ranges of code units, hexadecimal. */
const RANGES: Readonly<Record<Exclude<keyof typeof CHARACTER_CLASS, "none">, string>> = {
  letter: `41-5a 61-7a c0-d6 d8-f6 f8-17f 391-3a1 3a3-3a9 3b1-3c9 400-481 48a-513 531-556 561-586
    5d0-5ea 621-63a 641-64a 905-939 e01-e30 10d0-10f0 3041-3096 30a1-30fa ac00-d7a3`,
  ideograph: "3400-4db5 4e00-9fa5",
  digit: "30-39",
  punctuation: `21-2f 3a-40 5b-60 7b-7e a1 ab bb bf 60c 61b 61f 964 2013-2014 2018-201e 2026 3001-3003
    3008-3011 ff01 ff08-ff09 ff0c ff0e ff1a-ff1b ff1f`,
  space: "20",
  blank: "9-a d a0 2000-200a 3000",
};

const CLASSES = new Uint8Array(0x10000);
for (const [name, ranges] of Object.entries(RANGES)) {
  for (const range of ranges.trim().split(/\s+/)) {
    const [first = 0, last = first] = range.split("-").map((end) => Number.parseInt(end, 16));
    CLASSES.fill(CHARACTER_CLASS[name as keyof typeof RANGES], first, last + 1);
  }
}

/** The class of the code unit at `at`; `none` outside the text. */
export function classAt(text: string, at: number): number {
  return CLASSES[text.charCodeAt(at)] ?? CHARACTER_CLASS.none;
}

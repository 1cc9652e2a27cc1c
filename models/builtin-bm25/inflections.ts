const VOWELS = "aeiou";

/**
 * A word with the endings of a regular verb and noun. Not every form exists ("childs"): a piece
 * that no text contains does no harm, and a list of exceptions would.
 */
export function inflections(word: string): string[] {
  const last = word.at(-1) ?? "";
  const beforeLast = word.at(-2) ?? "";
  if (last === "e") {
    const stem = word.slice(0, -1);
    return [word, `${word}s`, `${word}d`, `${stem}ing`];
  }
  if (last === "y" && !VOWELS.includes(beforeLast)) {
    const stem = word.slice(0, -1);
    return [word, `${stem}ies`, `${stem}ied`, `${word}ing`];
  }
  const plural = /(?:s|x|z|ch|sh)$/u.test(word) ? `${word}es` : `${word}s`;
  const doubles =
    word.length <= 4 &&
    !VOWELS.includes(last) &&
    !"wxy".includes(last) &&
    VOWELS.includes(beforeLast) &&
    !VOWELS.includes(word.at(-3) ?? "");
  const verbStem = doubles ? word + last : word;
  return [word, plural, `${verbStem}ed`, `${verbStem}ing`];
}

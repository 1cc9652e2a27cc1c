/** More of them help nobody. */
const MOST = 3;
/** Share of letter pairs that two spellings of one name have in common, at least. */
const LEAST_LIKENESS = 0.5;
/** Between the hyphens of a name, as models and options have them, fewer letters than these resemble too much. */
const LEAST_PART_CHARS = 4;

/**
 * The names that a mistyped one may have meant, the nearest first: those that contain it, and those
 * that share most of its pairs of letters (Dice's coefficient), or all of its letters. If there are none, a part
 * between hyphens may be near.
 */
export function nearNames(typed: string, names: readonly string[]): string[] {
  const wanted = typed.toLowerCase();
  const scored = names.map((name) => {
    const known = name.toLowerCase();
    const contained = wanted.length > 2 && known.includes(wanted);
    const whole = contained ? 1 : likeness(wanted, known);
    return { name, whole, part: partLikeness(wanted, known) };
  });
  const near = scored.filter(({ whole }) => whole >= LEAST_LIKENESS);
  const found = near.length > 0 ? near : scored.filter(({ part }) => part >= LEAST_LIKENESS);
  const part = (one: (typeof scored)[number]): number => (near.length > 0 ? 0 : one.part);
  return found
    .sort((a, b) => part(b) - part(a) || b.whole - a.whole || a.name.length - b.name.length)
    .slice(0, MOST)
    .map(({ name }) => name);
}

/** `did you mean a, b or c?`, or nothing if nothing is near. */
export function didYouMean(typed: string, names: readonly string[]): string | undefined {
  const near = nearNames(typed, names);
  const last = near.pop();
  if (last === undefined) return undefined;
  return `did you mean ${near.length === 0 ? last : `${near.join(", ")} or ${last}`}?`;
}

function partLikeness(wanted: string, known: string): number {
  const parts = known.split("-").filter(({ length }) => length >= LEAST_PART_CHARS);
  return Math.max(0, ...parts.map((part) => likeness(wanted, part)));
}

function likeness(a: string, b: string): number {
  if (a.length > 2 && sortedLetters(a) === sortedLetters(b)) return 1;
  const [ours, theirs] = [pairsOf(a), pairsOf(b)];
  if (ours.length === 0 || theirs.length === 0) return a === b ? 1 : 0;
  const left = new Map<string, number>();
  for (const pair of theirs) left.set(pair, (left.get(pair) ?? 0) + 1);
  let shared = 0;
  for (const pair of ours) {
    const count = left.get(pair) ?? 0;
    if (count === 0) continue;
    left.set(pair, count - 1);
    shared += 1;
  }
  return (2 * shared) / (ours.length + theirs.length);
}

/** Letters that only changed places, `qurey` for `query`, leave few pairs alike. */
function sortedLetters(text: string): string {
  return Array.from(text).sort().join("");
}

function pairsOf(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2));
}

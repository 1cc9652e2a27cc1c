/** Mutations of valid inputs: what disks, networks, other programs and people make of them. */
import { SeededRandom } from "../../support/random.js";

/** Few inputs must be large for size to matter, and small ones find the rest. */
const MAX_BYTES = 65_536;
const HUGE_BYTES = 1_048_576;
const ODD_TEXTS = [
  "\u0000",
  "\ud800",
  "\udc00x",
  "\u001b[2J",
  "\u2028",
  "\ufeff",
  "__proto__",
  "constructor",
  "toString",
  "../../x",
  "",
  " ",
  "NaN",
  "0x10",
  "1e999",
  "null",
  "\r",
  "a\nb",
  "é".normalize("NFD"),
  "👩‍👩‍👧",
  "x".repeat(600),
];
const ODD_NUMBERS = [
  0, -0, -1, 1, 0.5, -1.5, 255, 256, 65_535, 65_536, 2_147_483_647, 2_147_483_648, 4_294_967_295,
  9_007_199_254_740_991, 9_007_199_254_740_992, 1e21, 1e308, -1e308, 5e-324,
];
/** Texts of JSON that no value of JavaScript is written as. */
const ODD_JSON = [
  "1e400",
  "-0.0",
  "1.0",
  "12345678901234567890",
  '{"__proto__":{"polluted":1}}',
  '{"a":1,"a":2}',
  '"\\ud800"',
  '"\\u0000"',
  "[",
  "}",
  "nul",
  "NaN",
  "01",
  "'x'",
];
const ODD_BYTES = [
  "00",
  "ff",
  "80",
  "c080",
  "eda080",
  "0a",
  "0d0a",
  "1f8b08",
  "28b52ffd",
  "efbbbf",
];

/** The random numbers of one case: the same for the same seed and number, whatever ran before. */
export function randomOf(seed: number, number: number): SeededRandom {
  const random = new SeededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  // Neighbouring states of the generator give neighbouring first numbers.
  for (let skip = 0; skip < 4; skip += 1) random.next();
  return random;
}

/** One of `valid` with up to four mutations; now and then as it is. */
export function mutated(random: SeededRandom, valid: readonly (string | Uint8Array)[]): Buffer {
  let bytes: Buffer = Buffer.from(random.pick(valid));
  const times = random.between(0, 4);
  for (let time = 0; time < times; time += 1) bytes = mutateOnce(random, bytes, valid);
  return bytes.subarray(0, HUGE_BYTES);
}

function mutateOnce(
  random: SeededRandom,
  bytes: Buffer,
  valid: readonly (string | Uint8Array)[],
): Buffer {
  const at = random.between(0, bytes.length);
  const end = Math.min(bytes.length, at + random.between(0, 40));
  const [before, middle, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, end),
    bytes.subarray(end),
  ];
  switch (random.between(0, 9)) {
    case 0:
      return flipped(random, bytes);
    case 1:
      return before;
    case 2:
      return Buffer.concat([before, after]);
    case 3:
      return Buffer.concat([before, ...repeated(random, middle), after]);
    case 4: {
      const other = Buffer.from(random.pick(valid));
      return Buffer.concat([before, other.subarray(random.between(0, other.length))]);
    }
    case 5:
      return Buffer.concat([before, Buffer.from(random.pick(ODD_TEXTS)), after]);
    case 6:
      return Buffer.concat([before, Buffer.from(random.pick(ODD_BYTES), "hex"), after]);
    case 7:
      return numberReplaced(random, bytes);
    case 8:
      return Buffer.concat([before, Buffer.from(random.pick(ODD_JSON)), after]);
    default:
      return jsonMutated(random, bytes);
  }
}

function flipped(random: SeededRandom, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = random.between(0, Math.max(0, copy.length - 1));
  if (copy.length > 0) copy[at] = (copy[at] ?? 0) ^ (1 << random.between(0, 7));
  return copy;
}

function repeated(random: SeededRandom, bytes: Buffer): Buffer[] {
  const most = random.between(0, 300) === 0 ? HUGE_BYTES : MAX_BYTES;
  const times = random.between(2, random.between(0, 20) === 0 ? 2_000 : 5);
  return Array.from(
    { length: Math.min(times, Math.floor(most / (bytes.length + 1))) },
    () => bytes,
  );
}

function numberReplaced(random: SeededRandom, bytes: Buffer): Buffer {
  const text = bytes.toString("latin1");
  const numbers = [...text.matchAll(/-?\d+(\.\d+)?/g)];
  if (numbers.length === 0) return bytes;
  const { index, 0: found } = random.pick(numbers);
  const odd = String(random.pick(ODD_NUMBERS));
  return Buffer.from(text.slice(0, index) + odd + text.slice(index + found.length), "latin1");
}

/** One line, or the whole, as JSON with one value, member or level changed. */
function jsonMutated(random: SeededRandom, bytes: Buffer): Buffer {
  const lines = bytes.toString("utf8").split("\n");
  const at = random.between(0, lines.length - 1);
  const isWhole = random.between(0, 1) === 0;
  try {
    const value = JSON.parse(isWhole ? lines.join("\n") : (lines[at] ?? "")) as unknown;
    const text = JSON.stringify(changed(random, value)) ?? "null";
    if (isWhole) return Buffer.from(text);
    lines[at] = text;
    return Buffer.from(lines.join("\n"));
  } catch {
    return flipped(random, bytes);
  }
}

/** A value of JSON with one change somewhere in it. */
export function changed(random: SeededRandom, value: unknown): unknown {
  const isLeaf = typeof value !== "object" || value === null;
  if (isLeaf || random.between(0, 3) === 0) return random.between(0, 3) > 0 ? odd(random) : [value];
  if (Array.isArray(value)) {
    const items = value as unknown[];
    if (items.length === 0) return [odd(random)];
    const at = random.between(0, items.length - 1);
    if (random.between(0, 4) === 0) return items.toSpliced(at, 1);
    if (random.between(0, 4) === 0) return [...items, ...items];
    return items.with(at, changed(random, items[at]));
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return { [random.pick(ODD_TEXTS)]: odd(random) };
  const at = random.between(0, entries.length - 1);
  const [key, inner] = entries[at] ?? ["", null];
  if (random.between(0, 4) === 0) return Object.fromEntries(entries.toSpliced(at, 1));
  if (random.between(0, 6) === 0) {
    return Object.fromEntries(entries.with(at, [random.pick(ODD_TEXTS), inner]));
  }
  return Object.fromEntries(entries.with(at, [key, changed(random, inner)]));
}

function odd(random: SeededRandom): unknown {
  switch (random.between(0, 7)) {
    case 0:
      return random.pick(ODD_NUMBERS);
    case 1:
      return null;
    case 2:
      return random.between(0, 1) === 0;
    case 3:
      return [];
    case 4:
      return {};
    case 5:
      return nested(random.between(0, 30) === 0 ? 4_000 : 20);
    default:
      return random.pick(ODD_TEXTS);
  }
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

import { nextCut, type CutRules } from "./cuts.js";
import type { BatchEncoder } from "./kinds/batch-encoder.js";
import type { ReadPart } from "./stretches/verified-cut.js";

/**
 * Characters given to a library in one call: it holds up to some 1,300 bytes per character until the
 * garbage collector comes by, of which V8 knows nothing.
 */
export const MOST_CALL_CHARS = 65_536;
/** Longest part of a text: one that shows no cut for longer is read in another way. */
export const MOST_PART_CHARS = 32_768;
/** A long text is cut into parts of about this: several of them share a call, and the cores. */
const PART_CHARS = 16_384;
/** Characters tried first for each token that is asked for: English has 4 to 5. */
const CHARS_PER_TOKEN_GUESS = 6;
const MIN_FIRST_PART_CHARS = 1_024;
/** Share of a part that the rest of a text must have to be worth a cut. */
const WORTH_A_CUT = 0.5;

/** A library's tokenizer, and how its long texts are read. */
export interface PartReader {
  readonly encoder: BatchEncoder;
  readonly rules: CutRules;
  /** See `StretchReader`. */
  readStretch(text: string, from: number, wanted: number, mostChars: number): Promise<ReadPart>;
}

interface Progress {
  readonly text: string;
  /** Characters taken so far. */
  taken: number;
  /** Characters of the part that is cut next. */
  partChars: number;
  tokens: number;
  readonly parts: Int32Array[];
}

interface Part {
  readonly of: Progress;
  readonly slot: number;
  readonly text: string;
}

/**
 * Encodes texts in bounded calls. Long texts are cut at places that leave the ids as they are, and read
 * no further than the `atLeastTokens + 1` ids that are returned of each.
 *
 * @param texts any strings; lone surrogates become U+FFFD
 * @throws RankmillError `text_not_bounded` if one of them cannot be read so
 */
export async function encodeTexts(
  reader: PartReader,
  texts: readonly string[],
  atLeastTokens = Number.POSITIVE_INFINITY,
): Promise<Int32Array[]> {
  const all = texts.map((text) => startOf(text, atLeastTokens));
  const wanted = atLeastTokens + 1;
  let open = all.filter(({ text }) => text.length > 0);
  while (open.length > 0) {
    const parts: Part[] = [];
    for (const progress of open) {
      // Without a bound every part is needed: all of them at once. With one, a part per text and round.
      do {
        const part = takePart(progress, reader.rules);
        if (part === undefined) break;
        parts.push(part);
      } while (!Number.isFinite(wanted) && progress.taken < progress.text.length);
    }
    await readParts(reader.encoder, parts);
    const advanced = new Set(parts.map(({ of }) => of));
    for (const progress of open) {
      if (advanced.has(progress)) continue;
      const { text, taken, tokens } = progress;
      const part = await reader.readStretch(text, taken, wanted - tokens, MOST_PART_CHARS);
      progress.parts.push(part.ids);
      progress.tokens += part.ids.length;
      progress.taken = part.end;
    }
    open = open.filter(({ tokens, taken, text }) => tokens < wanted && taken < text.length);
  }
  return all.map((progress) => joined(progress, wanted));
}

async function readParts(encoder: BatchEncoder, parts: readonly Part[]): Promise<void> {
  for (const call of callsOf(parts)) {
    const encoded = await encoder.encodeBatch(call.map((part) => part.text));
    for (const [index, part] of call.entries()) {
      const ids = encoded[index] ?? new Int32Array();
      part.of.parts[part.slot] = ids;
      part.of.tokens += ids.length;
    }
  }
}

function startOf(text: string, atLeastTokens: number): Progress {
  const partChars = Number.isFinite(atLeastTokens)
    ? Math.max(MIN_FIRST_PART_CHARS, atLeastTokens * CHARS_PER_TOKEN_GUESS)
    : PART_CHARS;
  return {
    text: text.toWellFormed(),
    taken: 0,
    partChars: Math.min(partChars, PART_CHARS),
    tokens: 0,
    parts: [],
  };
}

/**
 * Takes the next part of a text: up to a cut, or all that is left.
 *
 * @returns undefined if there is no cut near enough
 */
function takePart(progress: Progress, rules: CutRules): Part | undefined {
  const { text, taken, partChars } = progress;
  const left = text.length - taken;
  const cut =
    left > partChars * (1 + WORTH_A_CUT)
      ? nextCut(text, rules, taken + partChars, taken + MOST_PART_CHARS)
      : -1;
  if (cut === -1 && left > MOST_PART_CHARS) return undefined;
  const end = cut === -1 ? text.length : cut;
  const slot = progress.parts.push(new Int32Array()) - 1;
  progress.taken = end;
  progress.partChars = PART_CHARS;
  return { of: progress, slot, text: text.slice(taken, end) };
}

function* callsOf(parts: readonly Part[]): Generator<Part[]> {
  let call: Part[] = [];
  let chars = 0;
  for (const part of parts) {
    if (call.length > 0 && chars + part.text.length > MOST_CALL_CHARS) {
      yield call;
      call = [];
      chars = 0;
    }
    call.push(part);
    chars += part.text.length;
  }
  if (call.length > 0) yield call;
}

function joined({ parts, tokens }: Progress, wanted: number): Int32Array {
  const ids = new Int32Array(Math.min(tokens, wanted));
  let at = 0;
  for (const part of parts) {
    if (at === ids.length) break;
    const fitting = part.subarray(0, ids.length - at);
    ids.set(fitting, at);
    at += fitting.length;
  }
  return ids;
}

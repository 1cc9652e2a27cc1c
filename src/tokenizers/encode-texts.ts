import type { BatchEncoder } from "./batch-encoder.js";
import { nextCut } from "./cuts.js";

/**
 * Characters given to a library in one call, unless one uncuttable part has more. The Rust library
 * holds some 200 bytes a token until the garbage collector comes by, of which V8 knows nothing: a
 * call with 2 M characters took 960 MB, the same text in such calls 100.
 */
const CALL_CHARS = 65_536;
/** A long text is cut into parts of about this: several of them share a call, and the cores. */
const PART_CHARS = 16_384;
/** Characters tried first for each token that is asked for: English has 4 to 5. */
const CHARS_PER_TOKEN_GUESS = 6;
const MIN_FIRST_PART_CHARS = 1_024;
/** What is left of a text beyond a part is not worth a cut unless it is this much of the part. */
const WORTH_A_CUT = 0.5;

interface Progress {
  readonly text: string;
  /** Characters taken so far. */
  taken: number;
  /** Of the part that is cut next. */
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
 * Encodes texts in bounded calls. Where `cuttable`, long texts are cut at places that leave the ids
 * as they are, and no further than the `atLeastTokens + 1` ids that are returned of each.
 *
 * @param texts any strings; lone surrogates become U+FFFD
 */
export async function encodeTexts(
  encoder: BatchEncoder,
  cuttable: boolean,
  texts: readonly string[],
  atLeastTokens = Number.POSITIVE_INFINITY,
): Promise<Int32Array[]> {
  const all = texts.map((text) => startOf(text, atLeastTokens));
  const wanted = atLeastTokens + 1;
  let open = all.filter(({ text }) => text.length > 0);
  while (open.length > 0) {
    // Without a bound every part is needed: all of them at once. With one, a part a text a round.
    const parts = open.flatMap((progress) =>
      Number.isFinite(wanted) ? [takePart(progress, cuttable)] : takeAllParts(progress, cuttable),
    );
    for (const call of callsOf(parts)) {
      const encoded = await encoder.encodeBatch(call.map((part) => part.text));
      for (const [index, part] of call.entries()) {
        const ids = encoded[index] ?? new Int32Array();
        part.of.parts[part.slot] = ids;
        part.of.tokens += ids.length;
      }
    }
    open = open.filter(({ tokens, taken, text }) => tokens < wanted && taken < text.length);
  }
  return all.map((progress) => joined(progress, wanted));
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

/** Takes the next part of a text: up to a cut, or all that is left. */
function takePart(progress: Progress, cuttable: boolean): Part {
  const { text, taken, partChars } = progress;
  const left = text.length - taken;
  const cut =
    cuttable && left > partChars * (1 + WORTH_A_CUT) ? nextCut(text, taken + partChars) : -1;
  const end = cut === -1 ? text.length : cut;
  const slot = progress.parts.push(new Int32Array()) - 1;
  progress.taken = end;
  progress.partChars = PART_CHARS;
  return { of: progress, slot, text: text.slice(taken, end) };
}

function takeAllParts(progress: Progress, cuttable: boolean): Part[] {
  const parts: Part[] = [];
  while (progress.taken < progress.text.length) parts.push(takePart(progress, cuttable));
  return parts;
}

function* callsOf(parts: readonly Part[]): Generator<Part[]> {
  let call: Part[] = [];
  let chars = 0;
  for (const part of parts) {
    if (call.length > 0 && chars + part.text.length > CALL_CHARS) {
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

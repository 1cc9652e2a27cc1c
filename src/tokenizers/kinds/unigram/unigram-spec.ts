import { createHash } from "node:crypto";
import { buildDoubleArray } from "./double-array.js";
import { flatten } from "../../cuts.js";
import { readPairNumbers } from "./rust-numbers.js";
import type { Stage, TokenizerJson } from "../../tokenizer-json.js";

/** The steps of XLM-R and its like between the normalisation of a text and the model. */
export interface UnigramSettings {
  /** Runs of spaces become one. */
  readonly collapseSpaces: boolean;
  /** Words end at any whitespace, which is dropped; else at spaces alone, which become the mark. */
  readonly splitAtWhitespace: boolean;
  readonly unkId: number;
  /** Score of a character that no piece begins with. */
  readonly unkScore: number;
  /** Bytes of the longest piece that a text can reach. */
  readonly maxPieceBytes: number;
}

/** A tokenizer of that kind, in the shape in which it works. */
export interface CompiledUnigram {
  readonly settings: UnigramSettings;
  /** Double array of the character sequences that are replaced; its values are places in `texts`. */
  readonly charsmap: Uint32Array;
  /** Their replacements, each ended by a 0. */
  readonly texts: Uint8Array;
  /** Double array of the pieces; its values are their ids. */
  readonly pieces: Uint32Array;
  /** The pieces by id. */
  readonly scores: Float64Array;
}

export type UnigramSpec =
  | { readonly status: "compiled"; readonly unigram: CompiledUnigram }
  /** Another implementation must read the file; `reason` is for people. */
  | { readonly status: "unsupported"; readonly reason: string };

const MARK = "▁";
/** Distance of an unknown character's score below that of the worst piece, in the Rust library. */
const UNK_PENALTY = 10;
/** A trie of this layout holds more than three times as many units as XLM-R's has. */
const TOO_LARGE = "its vocabulary is too large";

/**
 * Compiles a tokenizer if every setting is one that `UnigramEncoder` follows to the letter:
 * Precompiled (with or without " {2,}" to " "), Metaspace (after WhitespaceSplit or alone), Unigram
 * without bytes to fall back on, and no added tokens but special ones. Everything else is refused.
 *
 * @param text the file that `json` was parsed from
 */
export function compileUnigram(json: TokenizerJson, text: string): UnigramSpec {
  const { model } = json;
  if (model.type !== "Unigram") return unsupported(`its model is ${model.type ?? "not named"}`);
  if (model["byte_fallback"] === true) return unsupported("it falls back on bytes");
  if (json.added_tokens.some(({ special }) => !special)) {
    return unsupported("it has added tokens that are not special");
  }
  const normalizer = readNormalizer(json.normalizer);
  const splitAtWhitespace = readPreTokenizer(json.pre_tokenizer);
  if (normalizer === undefined) return unsupported("of its normaliser");
  if (splitAtWhitespace === undefined) return unsupported("of its pre-tokeniser");
  const charsmap = parseCharsmap(normalizer.charsmap);
  if (charsmap === undefined) return unsupported("its precompiled charsmap cannot be read");
  const specials = new Set(json.added_tokens.map(({ content }) => content));
  const vocabulary = readVocabulary(model, specials, text);
  if ("reason" in vocabulary) return unsupported(vocabulary.reason);
  const { unkId, scores, minScore, pieces, maxPieceBytes } = vocabulary;
  const settings: UnigramSettings = {
    collapseSpaces: normalizer.collapseSpaces,
    splitAtWhitespace,
    unkId,
    unkScore: minScore - UNK_PENALTY,
    maxPieceBytes,
  };
  return { status: "compiled", unigram: { settings, ...charsmap, pieces, scores } };
}

function unsupported(reason: string): UnigramSpec {
  return { status: "unsupported", reason };
}

function readNormalizer(
  stage: Stage | null | undefined,
): { readonly charsmap: string; readonly collapseSpaces: boolean } | undefined {
  const [first, second, ...others] = flatten(stage, "normalizers");
  const charsmap = first?.["precompiled_charsmap"];
  if (first?.type !== "Precompiled" || typeof charsmap !== "string" || others.length > 0) {
    return undefined;
  }
  if (second === undefined) return { charsmap, collapseSpaces: false };
  const { Regex: regex } = (second["pattern"] ?? {}) as Record<string, unknown>;
  const collapses = second.type === "Replace" && regex === " {2,}" && second["content"] === " ";
  return collapses ? { charsmap, collapseSpaces: true } : undefined;
}

/** @returns whether words end at any whitespace; undefined if it is another pre-tokeniser */
function readPreTokenizer(stage: Stage | null | undefined): boolean | undefined {
  const stages = flatten(stage, "pretokenizers");
  const metaspace = stages.at(-1);
  if (metaspace?.type !== "Metaspace" || metaspace["replacement"] !== MARK) return undefined;
  if (metaspace["split"] === false) return undefined;
  const scheme = metaspace["prepend_scheme"];
  // Older files say it so; a file that says both, and not the same, is refused by the library.
  const prefix = metaspace["add_prefix_space"];
  const always = scheme === undefined ? prefix === true : scheme === "always" && prefix !== false;
  if (!always) return undefined;
  if (stages.length === 1) return false;
  return stages.length === 2 && stages[0]?.type === "WhitespaceSplit" ? true : undefined;
}

/** sentencepiece's own format: the size of a double array, the array, the replacements. */
function parseCharsmap(base64: string): Pick<CompiledUnigram, "charsmap" | "texts"> | undefined {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length < 4) return undefined;
  const size = bytes.readUInt32LE(0);
  if (size % 4 !== 0 || 4 + size > bytes.length) return undefined;
  const charsmap = Uint32Array.from({ length: size / 4 }, (_, unit) =>
    bytes.readUInt32LE(4 + unit * 4),
  );
  const texts = new Uint8Array(bytes.subarray(4 + size));
  // The library would read bytes that are not UTF-8 otherwise.
  const valid = Buffer.from(new TextDecoder().decode(texts)).equals(texts);
  return valid ? { charsmap, texts } : undefined;
}

interface Vocabulary extends Pick<CompiledUnigram, "pieces" | "scores"> {
  readonly unkId: number;
  readonly minScore: number;
  readonly maxPieceBytes: number;
}

function readVocabulary(
  model: TokenizerJson["model"],
  specials: ReadonlySet<string>,
  text: string,
): Vocabulary | { readonly reason: string } {
  const { vocab } = model;
  const unkId = model["unk_id"];
  if (!Array.isArray(vocab)) return { reason: "its vocabulary is not a list" };
  const values = new Float64Array(vocab.length);
  const ids = new Map<string, number>();
  const reachable: string[] = [];
  for (const [id, entry] of (vocab as unknown[]).entries()) {
    const [piece, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof piece !== "string" || typeof score !== "number" || !piece.isWellFormed()) {
      return { reason: `its piece ${id} cannot be read` };
    }
    if (ids.has(piece)) return { reason: `its piece ${id} is there twice` };
    ids.set(piece, id);
    values[id] = score;
    // A special token that is written out in a text is text.
    if (specials.has(piece)) continue;
    if (piece === "" || piece.includes("\0")) return { reason: `its piece ${id} holds no text` };
    reachable.push(piece);
  }
  const unknown = typeof unkId === "number" ? (vocab as [string, number][])[unkId] : undefined;
  if (typeof unkId !== "number" || unknown === undefined || !specials.has(unknown[0])) {
    return { reason: "it has no special token for what is unknown" };
  }
  const scores = readPairNumbers(text, values);
  if (scores === undefined) return { reason: "its scores cannot be read" };
  const minScore = scores.reduce(
    (least, score) => Math.min(least, score),
    Number.POSITIVE_INFINITY,
  );
  // Otherwise unknown characters might score better than a piece of them.
  if (minScore > 0) return { reason: "its scores are not logarithms" };
  // Strings that begin alike in UTF-16 units are beside each other in UTF-8, too.
  reachable.sort();
  const keys = Buffer.from(reachable.join(""));
  const ends = new Int32Array(reachable.length);
  const pieceIds = new Int32Array(reachable.length);
  let at = 0;
  let maxPieceBytes = 0;
  for (const [index, piece] of reachable.entries()) {
    const bytes = Buffer.byteLength(piece);
    maxPieceBytes = Math.max(maxPieceBytes, bytes);
    at += bytes;
    ends[index] = at;
    pieceIds[index] = ids.get(piece) ?? 0;
  }
  const pieces = reachable.length === 0 ? undefined : buildDoubleArray(keys, ends, pieceIds);
  if (pieces === undefined) return { reason: TOO_LARGE };
  return { pieces, scores, unkId, minScore, maxPieceBytes };
}

/** Names the content of the files that a compiled tokenizer was made of. */
export function sourceDigest(files: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const bytes of files) hash.update(`${bytes.length}\n`).update(bytes);
  return hash.digest("hex");
}

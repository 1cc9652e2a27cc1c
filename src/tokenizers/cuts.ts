import { CHARACTER_CLASS, classAt } from "./character-classes.js";
import type { Stage, TokenizerJson } from "./tokenizer-json.js";

const {
  letter: LETTER,
  ideograph: IDEOGRAPH,
  digit: DIGIT,
  punctuation: PUNCTUATION,
  space: SPACE,
  blank: BLANK,
} = CHARACTER_CLASS;

/**
 * Places where a text may be cut so that the ids of its parts, one after the other, are the ids of the
 * whole. No normaliser that works character by character, or on combining sequences, looks across
 * them; the pre-tokeniser ends a word there whatever stands further left; and a model sees one word at
 * a time.
 *
 * - *spaces*: before one space between two characters of a class. The part after the cut keeps the
 *   space, so that Metaspace and ByteLevel see the word as they would in the whole.
 * - *BERT's*: before whitespace, and on either side of punctuation and of ideographs that the
 *   normaliser sets apart.
 */
export interface CutRules {
  readonly spaces: boolean;
  readonly bert: boolean;
  /** BERT's normaliser sets ideographs apart. */
  readonly ideographs: boolean;
  /** Two characters that stand beside each other in an added token: no cut between them. */
  readonly joined: ReadonlySet<string>;
}

/** Work on characters, or on a base with its combining marks: a cut lies between two such. */
const LOCAL_NORMALIZERS: ReadonlySet<string> = new Set([
  "BertNormalizer",
  "Lowercase",
  "NFC",
  "NFD",
  "NFKC",
  "NFKD",
  "Nmt",
  "Precompiled",
  "StripAccents",
]);
/** Work on characters alone, or decompose and drop marks: whitespace and punctuation stop them. */
const BERT_NORMALIZERS: ReadonlySet<string> = new Set([
  "BertNormalizer",
  "Lowercase",
  "NFD",
  "StripAccents",
]);
/** Runs of spaces to one: spm's rule. A cut has one space only. */
const SPACE_RUN_PATTERNS: ReadonlySet<string> = new Set([" {2,}", " +"]);
/** One character out of a list that holds nothing of ASCII. */
const ONE_FOREIGN_CHARACTER = /^\[[\u0080-\u{10FFFF}-]+\]$/u;
/** Take spaces away: what comes after them sees words, and no longer where these stood. */
const SPACE_REMOVERS: ReadonlySet<string> = new Set([
  "BertPreTokenizer",
  "Whitespace",
  "WhitespaceSplit",
]);
/**
 * Expressions of Split that end a word before a space that follows no whitespace, whatever stands
 * further left: of cl100k and its like (Llama 3 and Qwen), which look at one character at a time.
 */
const SPLITS_BEFORE_SPACES: ReadonlySet<string> = new Set([
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
]);
/** Split further, looking no further than the character itself. */
const LOCAL_SPLITTERS: ReadonlySet<string> = new Set(["Digits", "Punctuation"]);

/** Places at which texts of this tokenizer may be cut. Whatever is not known to be safe is left out. */
export function cutRulesOf(json: TokenizerJson): CutRules {
  const preTokenizers = flatten(json.pre_tokenizer, "pretokenizers");
  const normalizers = flatten(json.normalizer, "normalizers");
  const spaces = spacesAfter(preTokenizers);
  const addedAllow = json.added_tokens.every(
    ({ content, rstrip }) => !rstrip && !/\S\s/.test(content),
  );
  const bert =
    preTokenizers.length === 1 &&
    preTokenizers[0]?.type === "BertPreTokenizer" &&
    normalizers.every(({ type }) => BERT_NORMALIZERS.has(type));
  return {
    spaces:
      addedAllow &&
      spaces !== "unsafe" &&
      normalizers.every((stage) => isSafeNormalizer(stage, spaces)),
    bert: addedAllow && bert,
    ideographs: normalizers.some(
      (stage) => stage.type === "BertNormalizer" && stage["handle_chinese_chars"] === true,
    ),
    joined: new Set(json.added_tokens.flatMap(({ content }) => pairsOf(content))),
  };
}

function pairsOf(content: string): string[] {
  return Array.from({ length: Math.max(0, content.length - 1) }, (_, at) =>
    content.slice(at, at + 2),
  );
}

/** Index of the first cut from `from` on and before `end`; -1 if there is none. */
export function nextCut(text: string, rules: CutRules, from: number, end = text.length): number {
  if (!rules.spaces && !rules.bert) return -1;
  const last = Math.min(end, text.length);
  for (let at = Math.max(from, 1); at < last; at += 1) if (isCut(text, rules, at)) return at;
  return -1;
}

/** True if the text may be cut before `at`. */
export function isCut(text: string, rules: CutRules, at: number): boolean {
  const [before, after] = [classAt(text, at - 1), classAt(text, at)];
  if (rules.bert && (after === SPACE || after === BLANK)) return true;
  if (!isVisible(before)) return false;
  if (rules.spaces && after === SPACE) return isVisible(classAt(text, at + 1));
  if (!rules.bert || !isVisible(after)) return false;
  const apart =
    before === PUNCTUATION ||
    after === PUNCTUATION ||
    (rules.ideographs && (before === IDEOGRAPH || after === IDEOGRAPH));
  return apart && !rules.joined.has(text.slice(at - 1, at + 1));
}

function isVisible(kind: number): boolean {
  return kind === LETTER || kind === IDEOGRAPH || kind === DIGIT || kind === PUNCTUATION;
}

/** A stage, or those of a Sequence, at any depth. */
export function flatten(stage: Stage | null | undefined, inner: string): Stage[] {
  if (stage == null) return [];
  const stages = stage[inner];
  if (stage.type !== "Sequence" || !Array.isArray(stages)) return [stage];
  return (stages as Stage[]).flatMap((child) => flatten(child, inner));
}

/**
 * The fate of the space that a part starts with: `dropped`, `optional` (a part without it gives
 * the same ids), `kept` (its word would have other ids without it), or `unsafe` if a word of the
 * model could reach over it.
 */
type Spaces = "dropped" | "optional" | "kept" | "unsafe";

function spacesAfter(stages: readonly Stage[]): Spaces {
  let spaces: Spaces = "unsafe";
  for (const stage of stages) {
    if (SPACE_REMOVERS.has(stage.type)) {
      if (spaces === "unsafe") spaces = "dropped";
    } else if (stage.type === "Metaspace") {
      // "first" marks the first word of a text, and would mark the first of every part.
      if (spaces === "dropped" && stage["prepend_scheme"] === "first") return "unsafe";
      if (spaces === "unsafe") spaces = spacesAfterMetaspace(stage);
      if (spaces === "unsafe") return "unsafe";
    } else if (stage.type === "Split" && spaces === "unsafe" && splitsBeforeSpaces(stage)) {
      spaces = "kept";
    } else if (stage.type === "ByteLevel") {
      if (spaces === "unsafe" && stage["use_regex"] === false) return "unsafe";
      if (spaces === "unsafe") spaces = "kept";
    } else if (spaces !== "dropped" && !LOCAL_SPLITTERS.has(stage.type)) {
      return "unsafe";
    }
  }
  return spaces;
}

function splitsBeforeSpaces(stage: Stage): boolean {
  const { Regex: regex } = (stage["pattern"] ?? {}) as Record<string, unknown>;
  const isolates = stage["behavior"] === "Isolated" && stage["invert"] !== true;
  return isolates && typeof regex === "string" && SPLITS_BEFORE_SPACES.has(regex);
}

function spacesAfterMetaspace(stage: Stage): Spaces {
  if (stage["split"] === false) return "unsafe";
  const scheme =
    stage["prepend_scheme"] ?? (stage["add_prefix_space"] === false ? "never" : "always");
  return scheme === "always" ? "optional" : "kept";
}

function isSafeNormalizer(stage: Stage, spaces: Spaces): boolean {
  if (LOCAL_NORMALIZERS.has(stage.type)) return true;
  if (stage.type === "Strip") return stage["strip_left"] !== true || spaces !== "kept";
  if (stage.type !== "Replace") return false;
  const { String: literal, Regex: regex } = (stage["pattern"] ?? {}) as Record<string, unknown>;
  if (typeof literal === "string") return !/[A-Za-z0-9 ]/.test(literal);
  if (typeof regex !== "string") return false;
  return SPACE_RUN_PATTERNS.has(regex) || ONE_FOREIGN_CHARACTER.test(regex);
}

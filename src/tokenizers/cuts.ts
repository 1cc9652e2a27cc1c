import type { Stage, TokenizerJson } from "./tokenizer-json.js";

/**
 * Where a text may be cut so that the ids of its parts, one after the other, are the ids of the
 * whole: before the space of "ASCII letter or digit, one space, ASCII letter or digit". No
 * normaliser that works character by character, or on combining sequences, looks across it; every
 * pre-tokeniser below ends a word there; and a model sees one word at a time. The part after the
 * cut keeps the space, so that Metaspace and ByteLevel see the word as they would in the whole.
 */

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
/** Split further, looking no further than the character itself. */
const LOCAL_SPLITTERS: ReadonlySet<string> = new Set(["Digits", "Punctuation"]);

/** True where texts may be cut at `nextCut`. Whatever is not known to be safe is not. */
export function allowsCuts(json: TokenizerJson): boolean {
  const spaces = spacesAfter(flatten(json.pre_tokenizer, "pretokenizers"));
  if (spaces === "unsafe") return false;
  const normalizers = flatten(json.normalizer, "normalizers");
  if (!normalizers.every((stage) => isSafeNormalizer(stage, spaces))) return false;
  return json.added_tokens.every(({ content, rstrip }) => !rstrip && !/[A-Za-z0-9] /.test(content));
}

/** Index of the first space at or after `from` before which `text` may be cut; -1 for none. */
export function nextCut(text: string, from: number): number {
  let at = text.indexOf(" ", Math.max(from, 1));
  while (at !== -1) {
    if (isAsciiAlphanumeric(text.charCodeAt(at - 1))) {
      if (at + 1 < text.length && isAsciiAlphanumeric(text.charCodeAt(at + 1))) return at;
    }
    at = text.indexOf(" ", at + 1);
  }
  return -1;
}

function isAsciiAlphanumeric(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

/** A stage, or those of a Sequence, at any depth. */
export function flatten(stage: Stage | null | undefined, inner: string): Stage[] {
  if (stage == null) return [];
  const stages = stage[inner];
  if (stage.type !== "Sequence" || !Array.isArray(stages)) return [stage];
  return (stages as Stage[]).flatMap((child) => flatten(child, inner));
}

/**
 * What becomes of the space that a part starts with: `dropped`, `optional` (a part without it gives
 * the same ids), `kept` (its word would have other ids without it), or `unsafe` where a word of the
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
    } else if (stage.type === "ByteLevel") {
      if (spaces === "unsafe" && stage["use_regex"] === false) return "unsafe";
      if (spaces === "unsafe") spaces = "kept";
    } else if (spaces !== "dropped" && !LOCAL_SPLITTERS.has(stage.type)) {
      return "unsafe";
    }
  }
  return spaces;
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

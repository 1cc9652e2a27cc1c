import type { ReadRest } from "../../stretches/stretch-reader.js";
import { flatten } from "../../cuts.js";
import type { Stage, TokenizerJson } from "../../tokenizer-json.js";
import type { TokenizerSource } from "../../tokenizer-source.js";
import { compiledOf } from "./open-unigram.js";
import { UnigramEncoder } from "./unigram-encoder.js";
import { compileUnigram } from "./unigram-spec.js";

/** A table of replacements that holds none, as sentencepiece writes it. */
const NO_REPLACEMENTS = "AAAAAA==";
const WHITESPACE = /^\p{White_Space}$/u;

/**
 * Reads the rest of a text with our own code, on behalf of a package that would hold all of it: of a
 * word as long as a document our code holds only what is not settled yet. Beside the tokenizers that
 * `openUnigram` reads it takes those whose normaliser is NFKC, which JavaScript has as well.
 *
 * @returns undefined if our code does not read this tokenizer
 */
export async function openUnigramRest(source: TokenizerSource): Promise<ReadRest | undefined> {
  const compiled = await compiledOf(source);
  if (!("reason" in compiled)) {
    const encoder = new UnigramEncoder(compiled.unigram);
    return (rest, wanted) => encoder.encode(rest, wanted);
  }
  const json = withoutNormalForm(source.parsed().tokenizerJson);
  if (json === undefined) return undefined;
  const spec = compileUnigram(json.withoutForm, source.files.json.toString("utf8"));
  if (spec.status === "unsupported") return undefined;
  const encoder = new UnigramEncoder(spec.unigram);
  return (rest, wanted, isWhole) => {
    const text = json.strips ? stripped(rest, isWhole) : rest;
    return encoder.encode(text.normalize("NFKC"), wanted);
  };
}

function stripped(text: string, atStart: boolean): string {
  let [start, end] = [0, text.length];

  while (end > 0 && WHITESPACE.test(text.charAt(end - 1))) end -= 1;
  while (start < end && WHITESPACE.test(text.charAt(start))) start += 1;
  return text.slice(atStart ? start : 0, end);
}

function withoutNormalForm(
  json: TokenizerJson,
): { readonly withoutForm: TokenizerJson; readonly strips: boolean } | undefined {
  const stages = flatten(json.normalizer, "normalizers");
  const [first] = stages;
  const strips = first?.type === "Strip";
  if (strips && (first["strip_left"] !== true || first["strip_right"] !== true)) return undefined;
  const [form, ...others] = strips ? stages.slice(1) : stages;
  if (form?.type !== "NFKC") return undefined;
  const noForm: Stage = { type: "Precompiled", precompiled_charsmap: NO_REPLACEMENTS };
  const normalizer = { type: "Sequence", normalizers: [noForm, ...others] };
  return { withoutForm: { ...json, normalizer }, strips };
}

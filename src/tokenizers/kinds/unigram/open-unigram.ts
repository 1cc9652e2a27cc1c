import type { TokenizerSource } from "../../tokenizer-source.js";
import type { KindOpening } from "../tokenizer-kind.js";
import { UnigramEncoder } from "./unigram-encoder.js";
import { readCompiled, writeCompiled, type CompiledTokenizer } from "./unigram-file.js";
import { compileUnigram, sourceDigest } from "./unigram-spec.js";

/** Our own code for XLM-R and its like. If a compiled one is kept, `tokenizer.json` is not parsed. */
export async function openUnigram(source: TokenizerSource): Promise<KindOpening> {
  const compiled = await compiledOf(source);
  if ("reason" in compiled) return { status: "unread", reason: compiled.reason };
  const encoder = new UnigramEncoder(compiled.unigram);
  return {
    status: "opened",
    encoder: {
      template: compiled.template,
      encode: (texts, atLeastTokens) => {
        const wanted = atLeastTokens === undefined ? undefined : atLeastTokens + 1;
        return Promise.resolve(texts.map((text) => encoder.encode(text.toWellFormed(), wanted)));
      },
    },
  };
}

/** Compiled now, or before. */
export async function compiledOf(
  source: TokenizerSource,
): Promise<CompiledTokenizer | { readonly reason: string }> {
  const { files, compiledDir } = source;
  const digest = sourceDigest([files.json, files.config ?? new Uint8Array()]);
  if (compiledDir !== undefined) {
    const kept = await readCompiled(compiledDir, digest, (problem) => source.notes.push(problem));
    if (kept !== undefined) return kept;
  }
  const template = source.template();
  const spec = compileUnigram(source.parsed().tokenizerJson, files.json.toString("utf8"));
  if (spec.status === "unsupported") return { reason: spec.reason };
  const compiled = { unigram: spec.unigram, template };
  // A folder that cannot be written costs the next start a second or two.
  if (compiledDir !== undefined) {
    await writeCompiled(compiledDir, digest, compiled).catch(() => undefined);
  }
  return compiled;
}

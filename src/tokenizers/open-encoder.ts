import type { PairTemplate } from "../core/pair-assembly.js";
import { parsePairTemplate } from "./pair-template.js";
import type { TokenizerImplementation } from "../core/ports/tokenizer.js";
import { describeError, RankmillError } from "../core/errors.js";
import { LibraryMissing, type BatchEncoder } from "./batch-encoder.js";
import { allowsCuts } from "./cuts.js";
import { encodeTexts } from "./encode-texts.js";
import { withoutSpecials } from "./literal-specials.js";
import { openNativeEncoder } from "./native-encoder.js";
import type { ThreadData } from "./thread/thread-protocol.js";
import { parseTokenizer, readTokenizerFiles, type ParsedTokenizer } from "./tokenizer-json.js";
import { openTransformersEncoder } from "./transformers-encoder.js";
import { UnigramEncoder } from "./unigram/unigram-encoder.js";
import { readCompiled, writeCompiled, type CompiledTokenizer } from "./unigram/unigram-file.js";
import { compileUnigram, sourceDigest } from "./unigram/unigram-spec.js";
import { option, wording } from "../core/wording.js";

/** A tokenizer as its thread works with it. */
export interface OpenedEncoder {
  readonly implementation: TokenizerImplementation;
  readonly template: PairTemplate;
  /** See {@link Tokenizer.encode}. */
  encode(texts: readonly string[], atLeastTokens: number | undefined): Promise<Int32Array[]>;
}

/**
 * Opens the tokenizer of a folder with the first implementation that can. Where a compiled one is
 * kept, `tokenizer.json` is hashed and not parsed.
 *
 * @throws RankmillError `model_unusable`, `missing_dependency`
 */
export async function openEncoder(data: ThreadData): Promise<OpenedEncoder> {
  const { implementations, compiledDir } = data;
  const files = await readTokenizerFiles(data.folder);
  const own = implementations.includes("rankmill");
  const source = sourceDigest([files.json, files.config ?? new Uint8Array()]);
  if (own && compiledDir !== undefined) {
    const kept = await readCompiled(compiledDir, source);
    if (kept !== undefined) return ownEncoder(kept);
  }
  const parsed = parseTokenizer(files);
  const template = parsePairTemplate(parsed.tokenizerJson, parsed.tokenizerConfig);
  let refusal = "";
  if (own) {
    const spec = compileUnigram(parsed.tokenizerJson, files.json.toString("utf8"));
    if (spec.status === "compiled") {
      const compiled = { unigram: spec.unigram, template };
      // A folder that cannot be written costs the next start a second or two.
      if (compiledDir !== undefined) {
        await writeCompiled(compiledDir, source, compiled).catch(() => undefined);
      }
      return ownEncoder(compiled);
    }
    refusal = spec.reason;
  }
  const libraries = implementations.filter((one) => one !== "rankmill");
  if (libraries.length === 0) {
    const message = wording`${files.path} cannot be read by rankmill: ${refusal}; leave the choice to ${option("tokenizer")} auto`;
    throw new RankmillError("model_unusable", message);
  }
  return await openLibrary(libraries, parsed, template, files.path);
}

function ownEncoder({ unigram, template }: CompiledTokenizer): OpenedEncoder {
  const encoder = new UnigramEncoder(unigram);
  return {
    implementation: "rankmill",
    template,
    encode: (texts, atLeastTokens) => {
      const wanted = atLeastTokens === undefined ? undefined : atLeastTokens + 1;
      return Promise.resolve(texts.map((text) => encoder.encode(text.toWellFormed(), wanted)));
    },
  };
}

type Library = Exclude<TokenizerImplementation, "rankmill">;

async function openLibrary(
  libraries: readonly Library[],
  { tokenizerJson }: ParsedTokenizer,
  template: PairTemplate,
  path: string,
): Promise<OpenedEncoder> {
  const cuttable = allowsCuts(tokenizerJson);
  const json = withoutSpecials(tokenizerJson);
  const missing: string[] = [];
  for (const library of libraries) {
    let encoder: BatchEncoder;
    try {
      encoder = await (library === "tokenizers"
        ? openNativeEncoder(json)
        : openTransformersEncoder(json));
    } catch (error) {
      if (!(error instanceof LibraryMissing)) {
        const message = `${path} cannot be loaded by ${library}: ${describeError(error).message}`;
        throw new RankmillError("model_unusable", message, { cause: error });
      }
      missing.push(error.message);
      continue;
    }
    return {
      implementation: library,
      template,
      encode: (texts, atLeastTokens) => encodeTexts(encoder, cuttable, texts, atLeastTokens),
    };
  }
  const message = `no library for the model's tokenizer can be loaded: run \`npm install ${libraries.map(packageOf).join(" ")}\` (one of them is enough). Tried ${missing.join("; ")}`;
  throw new RankmillError("missing_dependency", message);
}

function packageOf(library: Library): string {
  return library === "tokenizers" ? "tokenizers" : "@huggingface/transformers";
}

import { cutRulesOf } from "../cuts.js";
import { encodeTexts, type PartReader } from "../encode-texts.js";
import { withoutSpecials } from "../literal-specials.js";
import { StretchReader, type ReadRest } from "../stretches/stretch-reader.js";
import { WordShortener } from "../stretches/word-shortener.js";
import type { TokenizerJson } from "../tokenizer-json.js";
import { TokenizerSource } from "../tokenizer-source.js";
import { PackageMissing, type BatchEncoder } from "./batch-encoder.js";
import type { KindOpening } from "./tokenizer-kind.js";

/**
 * Opens a package's tokenizer: special tokens in a text are text, and long texts are read in parts.
 *
 * @param load gets the tokenizer and may change it
 */
export async function openPackage(
  source: TokenizerSource,
  load: (json: TokenizerJson) => Promise<BatchEncoder>,
): Promise<KindOpening> {
  const template = source.template();
  const json = withoutSpecials(source.take());
  const rules = cutRulesOf(json);
  const shortener = WordShortener.for(json, rules);
  const isUnigram = json.model.type === "Unigram";
  const own = isUnigram ? ownReader(source) : () => Promise.resolve(undefined);
  try {
    const encoder = await load(json);
    const stretches = new StretchReader({ encoder, shortener, verifies: !isUnigram, own });
    const reader: PartReader = {
      encoder,
      rules,
      readStretch: async (...args) => await stretches.read(...args),
    };
    const encode = async (
      texts: readonly string[],
      atLeastTokens: number | undefined,
    ): Promise<Int32Array[]> => await encodeTexts(reader, texts, atLeastTokens);
    return { status: "opened", encoder: { template, encode } };
  } catch (error) {
    if (!(error instanceof PackageMissing)) throw error;
    return { status: "missing", reason: error.message };
  }
}

/** Our own code for Unigram gives the reference's ids, of a word as long as a document as well. */
function ownReader({ files, compiledDir }: TokenizerSource): () => Promise<ReadRest | undefined> {
  let opening: Promise<ReadRest | undefined> | undefined;
  const open = async (): Promise<ReadRest | undefined> => {
    const { openUnigramRest } = await import("./unigram/unigram-rest.js");
    return await openUnigramRest(await TokenizerSource.open(files.folder, compiledDir));
  };
  return () => (opening ??= open());
}

import type * as Package from "tokenizers";
import type { TokenizerJson } from "../tokenizer-json.js";
import type { TokenizerSource } from "../tokenizer-source.js";
import { describeError } from "../../core/errors.js";
import { PackageMissing, type BatchEncoder } from "./batch-encoder.js";
import { openPackage } from "./open-package.js";
import type { KindOpening } from "./tokenizer-kind.js";

/** The Rust library that the models were trained with: the reference. */
export async function openTokenizersPackage(source: TokenizerSource): Promise<KindOpening> {
  return await openPackage(source, loadEncoder);
}

async function loadEncoder(json: TokenizerJson): Promise<BatchEncoder> {
  const { Tokenizer } = await load();
  const tokenizer = Tokenizer.fromString(JSON.stringify(json));
  return {
    encodeBatch: async (texts) => {
      const encodings = await tokenizer.encodeBatch(texts, { addSpecialTokens: false });
      return encodings.map((encoding) => Int32Array.from(encoding.getIds()));
    },
  };
}

async function load(): Promise<typeof Package> {
  try {
    return await import("tokenizers");
  } catch (error) {
    throw new PackageMissing(`tokenizers: ${describeError(error).message}`, { cause: error });
  }
}

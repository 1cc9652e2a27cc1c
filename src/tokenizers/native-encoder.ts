import type * as Library from "tokenizers";
import type { BatchEncoder } from "./batch-encoder.js";
import { LibraryMissing } from "./batch-encoder.js";
import type { TokenizerJson } from "./tokenizer-json.js";

/** The Rust library that the models were trained with: the reference. */
export async function openNativeEncoder(json: TokenizerJson): Promise<BatchEncoder> {
  const { Tokenizer } = await load();
  const tokenizer = Tokenizer.fromString(JSON.stringify(json));
  return {
    encodeBatch: async (texts) => {
      const encodings = await tokenizer.encodeBatch(texts, { addSpecialTokens: false });
      return encodings.map((encoding) => Int32Array.from(encoding.getIds()));
    },
  };
}

async function load(): Promise<typeof Library> {
  try {
    return await import("tokenizers");
  } catch (error) {
    throw new LibraryMissing(`tokenizers: ${String(error)}`, { cause: error });
  }
}

import { pathToFileURL } from "node:url";
import type { PairTemplate } from "../core/pair-assembly.js";
import type { Tokenizer, TokenizerImplementation } from "../core/ports/tokenizer.js";
import { TOKENIZER_ENTRY } from "../platform/process-entries.js";
import { ThreadTokenizer } from "./thread/thread-tokenizer.js";

export interface OpenTokenizerOptions {
  /**
   * `auto`: our own where it reads this tokenizer, else the `tokenizers` package where that loads,
   * else `@huggingface/transformers`.
   *
   * @defaultValue `"auto"`
   */
  readonly implementation?: "auto" | TokenizerImplementation | undefined;
  /** Keeps what our own is compiled to; it is compiled at each start where absent. */
  readonly compiledDir?: string | undefined;
}

export interface OpenedTokenizer {
  readonly tokenizer: Tokenizer;
  readonly template: PairTemplate;
}

/**
 * Opens the tokenizer of a model's folder: `tokenizer.json`, and `tokenizer_config.json` where it
 * has one. Local files only. It runs in a thread of its own and must be closed.
 *
 * @throws RankmillError `model_unusable` where the files cannot be read, are no tokenizer of either
 *   library, or do not say how a pair is joined; `missing_dependency` where no library loads
 */
export async function openTokenizer(
  folder: string,
  options: OpenTokenizerOptions = {},
): Promise<OpenedTokenizer> {
  const { implementation = "auto", compiledDir } = options;
  const implementations: readonly TokenizerImplementation[] =
    implementation === "auto" ? ["rankmill", "tokenizers", "transformers"] : [implementation];
  return ThreadTokenizer.open(pathToFileURL(TOKENIZER_ENTRY), {
    folder,
    implementations,
    compiledDir,
  });
}

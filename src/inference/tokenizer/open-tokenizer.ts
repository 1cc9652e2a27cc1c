import type { PairTemplate } from "../../core/pair-assembly.js";
import type { Tokenizer, TokenizerImplementation } from "../../core/ports.js";
import { ThreadTokenizer } from "./thread-tokenizer.js";

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
  return ThreadTokenizer.open(threadEntry(), { folder, implementations, compiledDir });
}

/** Beside this file once compiled; a test that runs the source finds the compiled entry in dist. */
function threadEntry(): URL {
  const entry = import.meta.url.endsWith(".ts")
    ? "../../../dist/src/inference/tokenizer/tokenizer-thread.js"
    : "./tokenizer-thread.js";
  return new URL(entry, import.meta.url);
}

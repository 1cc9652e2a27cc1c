import type { PairTemplate } from "../../core/pair-assembly.js";
import type { Tokenizer } from "../../core/ports.js";
import type { Implementation } from "./thread-protocol.js";
import { ThreadTokenizer } from "./thread-tokenizer.js";

export interface OpenTokenizerOptions {
  /**
   * `auto`: the `tokenizers` package where it loads, `@huggingface/transformers` elsewhere.
   *
   * @defaultValue `"auto"`
   */
  readonly implementation?: "auto" | Implementation | undefined;
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
  const { implementation = "auto" } = options;
  const implementations: readonly Implementation[] =
    implementation === "auto" ? ["tokenizers", "transformers"] : [implementation];
  return ThreadTokenizer.open(threadEntry(), { folder, implementations });
}

/** Beside this file once compiled; a test that runs the source finds the compiled entry in dist. */
function threadEntry(): URL {
  const entry = import.meta.url.endsWith(".ts")
    ? "../../../dist/src/inference/tokenizer/tokenizer-thread.js"
    : "./tokenizer-thread.js";
  return new URL(entry, import.meta.url);
}

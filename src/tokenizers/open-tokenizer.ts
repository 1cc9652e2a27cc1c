import process from "node:process";
import { pathToFileURL } from "node:url";
import type { PairTemplate } from "../core/pair-assembly.js";
import type { Tokenizer } from "../core/ports/tokenizer.js";
import { TOKENIZER_ENTRY } from "../platform/process-entries.js";
import type { TokenizerChoice, TokenizerKindName } from "./kinds/registry.js";
import { ThreadTokenizer } from "./thread/thread-tokenizer.js";

export interface OpenTokenizerOptions {
  /** @defaultValue `"auto"` */
  readonly kind?: TokenizerChoice | undefined;
  /** Keeps what our own is compiled to; it is compiled at each start if absent. */
  readonly compiledDir?: string | undefined;
  /** Told of what was met on the way, a line each, for people. */
  readonly onNote?: ((note: string) => void) | undefined;
}

export interface OpenedTokenizer {
  readonly tokenizer: Tokenizer;
  readonly kind: TokenizerKindName;
  /** Bytes by which the process grew: the vocabulary, and what reads it. */
  readonly vocabularyBytes: number;
  readonly template: PairTemplate;
}

/**
 * Opens the tokenizer of a model's folder: `tokenizer.json`, and `tokenizer_config.json` if it has
 * one. Local files only. It runs in a thread of its own and must be closed.
 *
 * @throws RankmillError `model_unusable` if no kind reads the files, or they do not say how a pair is
 *   joined; `missing_dependency` if no package loads
 */
export async function openTokenizer(
  folder: string,
  { kind = "auto", compiledDir, onNote }: OpenTokenizerOptions = {},
): Promise<OpenedTokenizer> {
  const entry = pathToFileURL(TOKENIZER_ENTRY);
  const bytesBefore = process.memoryUsage.rss();
  const opened = await ThreadTokenizer.open(entry, { folder, choice: kind, compiledDir });
  const vocabularyBytes = Math.max(0, process.memoryUsage.rss() - bytesBefore);
  const { tokenizer, template, notes } = opened;
  for (const note of notes) onNote?.(note);
  return { tokenizer, template, kind: tokenizer.kind, vocabularyBytes };
}

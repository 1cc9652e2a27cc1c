/**
 * The memory of a worker that its tokenizer takes. Measured by `npm run bench -- tokenizers` for each kind, with
 * real vocabularies, on texts that show few places to cut or none (test/bench/results/tokenizers.md).
 */
import type { TokenizerKindName } from "../tokenizers/kinds/registry.js";

const MIB = 1024 * 1024;

/** A tokenizer that the worker's process has open, and the longest text that it may get. */
export interface PlannedTokenizer {
  readonly kind: TokenizerKindName;
  /** Bytes by which the process grew when it was opened. */
  readonly vocabularyBytes: number;
  readonly maxDocumentChars: number;
}

interface ReadingCost {
  /** Bytes that calls of bounded length leave behind until the collector of the tokenizer's thread comes by. */
  readonly fixedBytes: number;
  /** Copies of the text in the tokenizer's thread. */
  readonly bytesPerChar: number;
}

/** Bounds of what was measured: of texts from 65,536 to 16,777,216 characters. */
const READING: Readonly<Record<TokenizerKindName, ReadingCost>> = {
  rankmill: { fixedBytes: 64 * MIB, bytesPerChar: 4 },
  tokenizers: { fixedBytes: 136 * MIB, bytesPerChar: 8 },
  transformers: { fixedBytes: 152 * MIB, bytesPerChar: 10 },
};

/** Bytes by which the process may grow while a text of the longest length is read, beside the caller's own text. */
export function tokenizerReadingBytes(kind: TokenizerKindName, maxDocumentChars: number): number {
  const { fixedBytes, bytesPerChar } = READING[kind];
  return fixedBytes + bytesPerChar * maxDocumentChars;
}

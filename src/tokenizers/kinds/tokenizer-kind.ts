import type { PairTemplate } from "../../core/pair-assembly.js";
import type { TokenizerSource } from "../tokenizer-source.js";

/** A tokenizer as its thread works with it. */
export interface OpenedEncoder {
  readonly template: PairTemplate;
  /** See `Tokenizer.encode` in `src/core/ports/tokenizer.ts`. */
  encode(texts: readonly string[], atLeastTokens: number | undefined): Promise<Int32Array[]>;
}

export type KindOpening =
  | { readonly status: "opened"; readonly encoder: OpenedEncoder }
  /** The kind does not read this `tokenizer.json`; `reason` is for people. */
  | { readonly status: "unread"; readonly reason: string }
  /** Its package is not installed, or has no binary for this machine. */
  | { readonly status: "missing"; readonly reason: string };

/** An implementation that reads `tokenizer.json` files. */
export interface TokenizerKind<Name extends string = string> {
  /** Choice of `--tokenizer`, and what a run's manifest says. */
  readonly name: Name;
  /** Npm package that it needs; undefined if it needs none. */
  readonly packageName: string | undefined;
  /**
   * Runs inside the tokenizer's thread only.
   *
   * @throws what the package says of a file that it refuses
   */
  open(source: TokenizerSource): Promise<KindOpening>;
}

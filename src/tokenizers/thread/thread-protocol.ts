import type { ErrorCode } from "../../core/errors.js";
import type { PairTemplate } from "../../core/pair-assembly.js";
import type { TokenizerChoice, TokenizerKindName } from "../kinds/registry.js";

/** Data that a tokenizer's thread is started with. */
export interface ThreadData {
  readonly folder: string;
  readonly choice: TokenizerChoice;
  /** Folder of compiled tokenizers; undefined if none may be kept. */
  readonly compiledDir: string | undefined;
}

export interface EncodeMessage {
  readonly seq: number;
  readonly texts: readonly string[];
  readonly atLeastTokens: number | undefined;
}

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

export type FromThread =
  | {
      readonly type: "ready";
      readonly kind: TokenizerKindName;
      readonly template: PairTemplate;
      readonly notes: readonly string[];
    }
  | ({ readonly type: "unusable" } & Failure)
  /** Ids of all texts, one after the other; `ends[i]` is the end of those of text i. */
  | {
      readonly type: "encoded";
      readonly seq: number;
      readonly ids: Int32Array;
      readonly ends: Int32Array;
    }
  | ({ readonly type: "failed"; readonly seq: number } & Failure);

/** The input and output of every way of scoring. Nothing here knows the product. */

export type WayName = "obvious" | "sorted" | "bound" | "rankmill";

/** A pair as the reference tokenizer encodes it, special tokens included; at most MAX_LENGTH long. */
export interface PairIds {
  readonly ids: Int32Array;
  /** Token types; undefined if the model has none. */
  readonly types: Int32Array | undefined;
}

export interface BenchJob {
  readonly query: string;
  readonly documents: readonly string[];
  /** One per document. */
  readonly pairs: readonly PairIds[];
}

export interface Scored {
  /** The time from the first job handed over to the last ranking back. */
  readonly seconds: number;
  /** One list per job, one logit per document. */
  readonly logits: readonly (readonly number[])[];
}

/** A way with its model loaded; idle but for `score`. */
export interface OpenWay {
  /** @param inFlight jobs handed over at once; only rankmill's producers can choose */
  score(jobs: readonly BenchJob[], inFlight?: number): Promise<Scored>;
  close(): Promise<void>;
  /** From the start of its process until it could score. Undefined: nobody asks. */
  readonly startSeconds?: number;
  /** The process that scores, with all its descendants. Undefined: nobody asks. */
  readonly pid?: number | undefined;
}

/** The parts that a way is opened with. */
export interface WayOptions {
  readonly modelFolder: string;
  readonly onnxPath: string;
  readonly precision: string;
  /** Unix socket of the bench's Redis. */
  readonly redisPath: string;
  readonly maxLength: number;
}

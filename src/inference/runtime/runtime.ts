import type { BatchInput, LaneModel } from "../lanes/lane-protocol.js";

/**
 * A library that runs a model's graph inside a lane. A device (`devices/device.ts`) is another thing:
 * the processor that a runtime is told to use.
 */
export interface Runtime {
  /** Name in messages. */
  readonly name: string;
  /**
   * Version of what is installed, read without loading it.
   *
   * @throws RankmillError `missing_dependency`
   */
  version(): Promise<string>;
  /**
   * Opens a model. Loads native code: for lanes only.
   *
   * @throws RankmillError `model_unusable` with the reason, `missing_dependency`; `lane_failed` if the
   *   device has no room for the weights at the moment
   */
  open(model: LaneModel): Promise<Session>;
}

/** An opened model. */
export interface Session {
  /** @returns one logit per row */
  run(input: BatchInput): Promise<Float32Array>;
  /** Bytes of keys and values that it keeps of prefixes; no more than `LaneModel.prefixBytes`. */
  readonly prefixBytes: number;
  close(): Promise<void>;
}

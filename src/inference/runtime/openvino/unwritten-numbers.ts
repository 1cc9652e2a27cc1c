import { OpenVinoError } from "./openvino-model.js";

/** A NaN that no computation gives. */
const MARK = 0x7fd3_a5c1;
/** Seen under a limit of the address space: the call succeeds, and nothing was computed. */
const NOT_WRITTEN =
  "OpenVINO said that it ran the batch and wrote no output: most likely it ran out of memory";

/**
 * Memory for the output of one run. All of it is marked beforehand, and nobody else has written to it: what
 * a run has not computed cannot be taken for its result, nor can the result of an earlier one.
 */
export class UnwrittenNumbers {
  readonly memory: Float32Array;
  readonly shape: readonly number[];

  constructor(shape: readonly number[]) {
    this.shape = shape;
    const count = shape.reduce((product, size) => product * size, 1);
    // A buffer of its own is outside of the heap, where nothing moves it.
    this.memory = new Float32Array(new ArrayBuffer(count * Float32Array.BYTES_PER_ELEMENT));
    new Uint32Array(this.memory.buffer).fill(MARK);
  }

  /** @throws OpenVinoError if any of it has not been written */
  written(): Float32Array {
    if (new Uint32Array(this.memory.buffer).includes(MARK)) throw new OpenVinoError(NOT_WRITTEN);
    return this.memory;
  }
}

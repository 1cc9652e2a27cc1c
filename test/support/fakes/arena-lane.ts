import { RankmillError } from "../../../src/core/errors.js";
import type { EncodedPair } from "../../../src/core/pair.js";
import { firstId } from "../pairs.js";
import { turn } from "../turn.js";
import { MemoryLane } from "./memory-lane.js";

/** A lane that holds the largest batch it did, a byte per padded token, and dies of more than it has. */
export class ArenaLane extends MemoryLane {
  /** Bytes. */
  held = 0;
  /** Lengths of the pairs of each batch. */
  readonly batches: number[][] = [];
  readonly #memoryBytes: number;

  constructor(memoryBytes = Infinity) {
    super();
    this.#memoryBytes = memoryBytes;
  }

  protected override async run(batches: readonly (readonly EncodedPair[])[]): Promise<number[][]> {
    await turn();
    for (const batch of batches) {
      const lengths = batch.map(({ ids }) => ids.length);
      this.batches.push(lengths);
      const bytes = batch.length * Math.max(...lengths);
      if (bytes > this.#memoryBytes) {
        this.die("std::bad_alloc");
        throw new RankmillError("lane_failed", "std::bad_alloc");
      }
      this.held = Math.max(this.held, bytes);
    }
    return batches.map((batch) => batch.map(firstId));
  }
}

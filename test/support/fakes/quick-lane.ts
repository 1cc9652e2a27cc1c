import type { EncodedPair } from "../../../src/core/pair.js";
import { firstId } from "../pairs.js";
import { turn } from "../turn.js";
import { MemoryLane } from "./memory-lane.js";

/** A lane that answers at once, from a function of the pair; what that throws fails the message. */
export class QuickLane extends MemoryLane {
  readonly #logitOf: (pair: EncodedPair) => number;

  constructor(logitOf: (pair: EncodedPair) => number = firstId, id = 0) {
    super(id);
    this.#logitOf = logitOf;
  }

  protected override async run(batches: readonly (readonly EncodedPair[])[]): Promise<number[][]> {
    await turn();
    return batches.map((batch) => batch.map((pair) => this.#logitOf(pair)));
  }
}

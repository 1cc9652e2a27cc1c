import { RankmillError } from "../../../src/core/errors.js";
import type { EncodedPair } from "../../../src/core/pair.js";
import { firstId } from "../pairs.js";
import { turn } from "../turn.js";
import { MemoryLane } from "./memory-lane.js";

/** A lane that answers when it is told to, with each pair's first id as its logit. */
export class HandLane extends MemoryLane {
  #succeed: () => void = () => {};
  #fail: (error: Error) => void = () => {};

  /** Answers the message in hand and waits until the next one is in, if there is one. */
  async answer(): Promise<void> {
    this.#succeed();
    await turn();
  }

  /** Fails the message in hand, and goes on unless it `dies`. */
  async fail(options: { dies?: boolean } = {}): Promise<void> {
    if (options.dies === true) this.die();
    this.#fail(new RankmillError("lane_failed", "the lane was told to fail"));
    await turn();
  }

  protected override run(batches: readonly (readonly EncodedPair[])[]): Promise<number[][]> {
    return new Promise((resolve, reject) => {
      this.#succeed = () => resolve(batches.map((batch) => batch.map(firstId)));
      this.#fail = reject;
    });
  }
}

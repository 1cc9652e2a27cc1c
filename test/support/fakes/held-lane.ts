import type { EncodedPair } from "../../../src/core/pair.js";
import type { Lane } from "../../../src/core/ports/lane.js";
import { until } from "../until.js";

/** A lane as it is, but each message waits before it until the test lets it run. */
export class HeldLane implements Lane {
  /** The pairs of each message so far. */
  readonly messages: EncodedPair[][] = [];
  readonly #lane: Lane;
  #held: (() => void) | undefined;
  #open = false;

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  get id(): number {
    return this.#lane.id;
  }

  get alive(): boolean {
    return this.#lane.alive;
  }

  get died(): Promise<string> {
    return this.#lane.died ?? new Promise(() => {});
  }

  get grownBytes(): number {
    return this.#lane.grownBytes ?? 0;
  }

  async score(batches: readonly (readonly EncodedPair[])[]): Promise<number[][]> {
    if (this.#held !== undefined) throw new Error(`lane ${this.id} is busy`);
    this.messages.push(batches.flat());
    if (!this.#open) {
      const released = new Promise<void>((resolve) => (this.#held = resolve));
      // A lane that dies refuses the messages that wait before it.
      await Promise.race([released, this.died]);
      this.#held = undefined;
    }
    return await this.#lane.score(batches);
  }

  /** Waits for a message that is held. */
  async untilBusy(): Promise<void> {
    await until("a message is in the lane", () => this.#held !== undefined);
  }

  runOne(): void {
    this.#held?.();
    this.#held = undefined;
  }

  open(): void {
    this.#open = true;
    this.runOne();
  }
}

import { RankmillError } from "../../../src/core/errors.js";
import type { EncodedPair } from "../../../src/core/pair.js";
import type { Lane } from "../../../src/core/ports/lane.js";
import { firstId } from "../pairs.js";

type Batches = readonly (readonly EncodedPair[])[];

/** The vocabulary of a model: an id beyond it is refused by the runtime, and the lane goes on. */
const VOCABULARY = 100_000;

/** A lane without a process: what its kinds share. It remembers every message and dies when it is told to. */
export abstract class MemoryLane implements Lane {
  readonly id: number;
  readonly died: Promise<string>;
  grownBytes = 0;
  /** First ids of each batch of every message. */
  readonly messages: number[][][] = [];
  #alive = true;
  #tellDeath: (reason: string) => void = () => {};
  /** Fails the message in hand; undefined if there is none. */
  #rejectInHand: ((error: Error) => void) | undefined;

  constructor(id = 0) {
    this.id = id;
    this.died = new Promise((resolve) => {
      this.#tellDeath = resolve;
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  get busy(): boolean {
    return this.#rejectInHand !== undefined;
  }

  async score(batches: Batches): Promise<number[][]> {
    if (!this.#alive) throw this.#failure("is dead");
    if (this.busy) throw new Error(`lane ${this.id} is busy`);
    this.messages.push(batches.map((batch) => batch.map(firstId)));
    const beyond = batches.flat().some(({ ids }) => ids.some((id) => id >= VOCABULARY));
    if (beyond) throw this.#failure("knows no such id");
    try {
      return await new Promise((resolve, reject) => {
        this.#rejectInHand = reject;
        this.run(batches).then(resolve, reject);
      });
    } finally {
      this.#rejectInHand = undefined;
    }
  }

  /** Its process is gone, as it were: what it has in hand fails. */
  die(reason = "it was told to"): void {
    this.#alive = false;
    this.#tellDeath(reason);
    this.#rejectInHand?.(this.#failure(`died (${reason})`));
  }

  protected abstract run(batches: Batches): Promise<number[][]>;

  #failure(how: string): RankmillError {
    return new RankmillError("lane_failed", `lane ${this.id} ${how}`);
  }
}

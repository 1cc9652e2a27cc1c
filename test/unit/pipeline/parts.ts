/** Small parts in memory, for what stands behind the ports. */
import { RankmillError } from "../../../src/core/errors.js";
import type { EncodedPair } from "../../../src/core/pair.js";
import type { Lane } from "../../../src/core/ports/lane.js";

/** A pair whose logit the tests' lanes know: its first id. */
export function pairOf(first: number, tokens = 1): EncodedPair {
  const ids = new Int32Array(tokens);
  ids[0] = first;
  return { ids, secondStart: tokens, truncated: false };
}

export function firstId(pair: EncodedPair): number {
  return pair.ids[0] ?? -1;
}

/** First ids of each run of a message. */
export type SeenMessage = number[][];

/** A lane that answers when it is told to, with each pair's first id as its logit. */
export class HandLane implements Lane {
  readonly id: number;
  alive = true;
  readonly died = new Promise<string>(() => {});
  readonly grownBytes = 0;
  /** Every message that it was given. */
  readonly messages: SeenMessage[] = [];
  #answer: (() => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  constructor(id = 0) {
    this.id = id;
  }

  get busy(): boolean {
    return this.#answer !== undefined;
  }

  score(runs: readonly (readonly EncodedPair[])[]): Promise<number[][]> {
    this.messages.push(runs.map((run) => run.map(firstId)));
    return new Promise((resolve, reject) => {
      this.#answer = () => resolve(runs.map((run) => run.map(firstId)));
      this.#fail = reject;
    });
  }

  /** Answers the message in hand and waits until the next one is in, if there is one. */
  async answer(): Promise<void> {
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.();
    await turn();
  }

  async fail(options: { dies?: boolean } = {}): Promise<void> {
    const fail = this.#fail;
    this.#answer = undefined;
    if (options.dies === true) this.alive = false;
    fail?.(new RankmillError("lane_failed", "the lane was told to fail"));
    await turn();
  }
}

/** Answers at once, from a function of the pair; a throw is a death that others survive. */
export class QuickLane implements Lane {
  readonly id: number;
  alive = true;
  readonly died = new Promise<string>(() => {});
  readonly grownBytes = 0;
  readonly messages: SeenMessage[] = [];
  readonly #logitOf: (pair: EncodedPair, alone: boolean) => number;

  constructor(logitOf: (pair: EncodedPair, alone: boolean) => number = firstId, id = 0) {
    this.#logitOf = logitOf;
    this.id = id;
  }

  async score(runs: readonly (readonly EncodedPair[])[]): Promise<number[][]> {
    this.messages.push(runs.map((run) => run.map(firstId)));
    await turn();
    const alone = runs.flat().length === 1;
    return runs.map((run) => run.map((pair) => this.#logitOf(pair, alone)));
  }
}

/** Lets everything that can go on go on. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

import type { Lane } from "../../core/ports/lane.js";
import type { Item } from "./batch-items.js";

/**
 * Gives a lane the batches of the query that it has in hand, and else of one that no other lane has: each
 * query's prefix is then computed by one lane, unless there is nothing else to do.
 */
export class PrefixAffinity {
  readonly #inHand = new Map<Lane, number>();

  /** The batches with those first that suit `lane`. The others keep their order. */
  arrange(batches: Item[][], lane: Lane): Item[][] {
    const chosen = this.#choose(batches, lane);
    if (chosen === undefined || chosen === keyOf(batches[0])) return batches;
    const suits = (batch: readonly Item[]): boolean => keyOf(batch) === chosen;
    return [...batches.filter(suits), ...batches.filter((batch) => !suits(batch))];
  }

  took(lane: Lane, message: readonly (readonly Item[])[]): void {
    const key = keyOf(message.at(-1));
    if (key !== undefined) this.#inHand.set(lane, key);
  }

  forget(lane: Lane): void {
    this.#inHand.delete(lane);
  }

  #choose(batches: readonly (readonly Item[])[], lane: Lane): number | undefined {
    const mine = this.#inHand.get(lane);
    const keys = batches.map(keyOf);
    if (mine !== undefined && keys.includes(mine)) return mine;
    const others = new Set(this.#inHand.values());
    return keys.find((key) => key !== undefined && !others.has(key));
  }
}

/** Undefined for pairs without a prefix. */
function keyOf(batch: readonly Item[] | undefined): number | undefined {
  const prefix = batch?.[0]?.prefix;
  return prefix === undefined || prefix.tokens === 0 ? undefined : prefix.key;
}

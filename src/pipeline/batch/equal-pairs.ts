import type { EncodedPair } from "../../core/pair.js";
import type { Item } from "./batch-items.js";

/**
 * Finds the item of a pair among those that are not settled yet.
 *
 * A pair is known by its ids and by the start of its document, which the model reads. Template, max length and
 * truncation are in the ids already. They are compared themselves; a hash only says where to look, and
 * of two pairs with one hash the later one is not shared.
 */
export class EqualPairs {
  readonly #items = new Map<number, Item>();

  /** Items that could be found. */
  get size(): number {
    return this.#items.size;
  }

  find(pair: EncodedPair): Item | undefined {
    const item = this.#items.get(hashOf(pair));
    return item !== undefined && areEqual(item.pair, pair) ? item : undefined;
  }

  /** From now on `item` is found for its pair, in place of an older one of the same pair. */
  add(item: Item): void {
    const hash = hashOf(item.pair);
    const other = this.#items.get(hash);
    if (other === undefined || areEqual(other.pair, item.pair)) this.#items.set(hash, item);
  }

  remove(item: Item): void {
    const hash = hashOf(item.pair);
    if (this.#items.get(hash) === item) this.#items.delete(hash);
  }

  clear(): void {
    this.#items.clear();
  }
}

function areEqual(a: EncodedPair, b: EncodedPair): boolean {
  if (a.secondStart !== b.secondStart || a.ids.length !== b.ids.length) return false;
  return a.ids.every((id, index) => id === b.ids[index]);
}

/** 32 bits of multiply and shift, as murmur's finaliser. */
function hashOf({ ids, secondStart }: EncodedPair): number {
  let hash = secondStart;
  for (const id of ids) {
    hash = Math.imul(hash ^ id, 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  return hash;
}

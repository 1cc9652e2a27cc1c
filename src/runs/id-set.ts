import { hash } from "node:crypto";

const FIRST_SLOTS = 1_024;
/** Share of slots that may be taken: beyond it the set grows. */
const MOST_FULL = 0.6;

/**
 * Ids of records that were met before, as 64-bit hashes: 13 to 27 bytes per id, whatever its length. That two of ten
 * million ids have one hash is less likely than one in 100,000.
 */
export class IdSet {
  #slots = new BigUint64Array(FIRST_SLOTS);
  #size = 0;

  /** @returns false if it is in already */
  add(id: string): boolean {
    const key = keyOf(id);
    const slot = slotOf(this.#slots, key);
    if (this.#slots[slot] === key) return false;
    this.#slots[slot] = key;
    this.#size += 1;
    if (this.#size > MOST_FULL * this.#slots.length) this.#grow();
    return true;
  }

  #grow(): void {
    const slots = new BigUint64Array(2 * this.#slots.length);
    for (const key of this.#slots) if (key !== 0n) slots[slotOf(slots, key)] = key;
    this.#slots = slots;
  }
}

/** Zero means an empty slot. */
function keyOf(id: string): bigint {
  return hash("sha1", id, "buffer").readBigUInt64LE() || 1n;
}

/** The slot of a key, or the free one in which it belongs. */
function slotOf(slots: BigUint64Array, key: bigint): number {
  const mask = slots.length - 1;
  let slot = Number(key & BigInt(mask));
  while (slots[slot] !== 0n && slots[slot] !== key) slot = (slot + 1) & mask;
  return slot;
}

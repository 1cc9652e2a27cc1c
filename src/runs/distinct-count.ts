import { hash } from "node:crypto";

/** Hashes that are kept; the count has a standard error of half a percent. */
const KEPT = 32_768;
const HASH_BYTES = 6;

/**
 * An estimate of how many different texts there were, in memory that does not grow with them: exact up to
 * 32,768, then from those alone whose hash ends in so many zeros (Wegman's adaptive sampling).
 */
export class DistinctCount {
  #hashes = new Set<number>();
  #step = 1;

  add(text: string): void {
    const digest = hash("sha1", text, "buffer").readUIntLE(0, HASH_BYTES);
    if (digest % this.#step !== 0) return;
    this.#hashes.add(digest);
    while (this.#hashes.size > KEPT) {
      this.#step *= 2;
      this.#hashes = new Set([...this.#hashes].filter((one) => one % this.#step === 0));
    }
  }

  get count(): number {
    return this.#hashes.size * this.#step;
  }
}

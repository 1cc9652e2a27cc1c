import type { EncodedPair } from "../../../src/core/pair.js";
import type { ScoreCache } from "../../../src/core/ports/score-cache.js";

/** A cache in memory that forgets nothing, unless it cannot be asked at present. */
export class MemoryScoreCache implements ScoreCache {
  usable = true;
  readonly #logits = new Map<string, number>();

  /** Pairs that it knows. */
  get size(): number {
    return this.#logits.size;
  }

  async read(pairs: readonly EncodedPair[]): Promise<(number | undefined)[] | undefined> {
    await Promise.resolve();
    return this.usable ? pairs.map((pair) => this.#logits.get(keyOf(pair))) : undefined;
  }

  write(pairs: readonly EncodedPair[], logits: readonly number[]): void {
    if (!this.usable) return;
    for (const [index, pair] of pairs.entries()) {
      const logit = logits[index];
      // Lanes give float32: what is something else was never a logit.
      if (logit === undefined || Math.fround(logit) !== logit) continue;
      this.#logits.set(keyOf(pair), logit);
    }
  }
}

function keyOf({ ids, secondStart }: EncodedPair): string {
  return `${secondStart}:${ids.join()}`;
}

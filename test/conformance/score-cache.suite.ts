/** The rules of every score cache. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EncodedPair } from "../../src/core/pair.js";
import type { ScoreCache } from "../../src/core/ports/score-cache.js";
import { SeededRandom } from "../support/random.js";
import { until } from "../support/until.js";

/** The ends of what four bytes hold, signed zeros and numbers that are not normal. */
const FLOATS = [0, -0, 1.5, -3.25, Math.fround(0.1), Math.fround(1e-44), Math.fround(3.4e38)];

export interface ScoreCachePlace {
  readonly cache: ScoreCache;
  /** Makes the cache unreachable. @returns what makes it reachable again */
  breakOff(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** Short, and another one for every number. */
export function numbered(number: number): EncodedPair {
  return { ids: Int32Array.of(101, number, 102), secondStart: 2, truncated: false };
}

export function range(from: number, count: number): EncodedPair[] {
  return Array.from({ length: count }, (_, index) => numbered(from + index));
}

/** Writes until all of it can be read: a write that takes too long is given up. */
export async function keep(
  cache: ScoreCache,
  pairs: readonly EncodedPair[],
  logits: readonly number[] = pairs.map((_, index) => index),
  detail?: () => string,
): Promise<void> {
  await until(
    "the pairs are known",
    async () => {
      cache.write(pairs, logits);
      return await areKnown(cache, pairs.slice(-1));
    },
    detail,
  );
}

export async function areKnown(cache: ScoreCache, pairs: readonly EncodedPair[]): Promise<boolean> {
  const known = await cache.read(pairs);
  return known?.every((logit) => logit !== undefined) === true;
}

/** The answer of a cache, once it answers: it rests after an answer that took too long. */
export async function answer(
  cache: ScoreCache,
  pairs: readonly EncodedPair[],
): Promise<(number | undefined)[]> {
  return [...(await until("the cache answers", () => cache.read(pairs)))];
}

/** @param make makes a cache that knows nothing */
export function testScoreCache(name: string, make: () => Promise<ScoreCachePlace>): void {
  describe(`the score cache ${name}`, () => {
    let place: ScoreCachePlace;
    let cache: ScoreCache;

    beforeEach(async () => {
      place = await make();
      ({ cache } = place);
    });

    afterEach(async () => {
      await place.close();
    });

    it("gives back the very bits that were written, in the order asked for", async () => {
      const random = new SeededRandom(3);
      const floats = Array.from({ length: 300 }, () => Math.fround(random.next() * 20 - 10));
      const logits = [...FLOATS, ...floats];
      const pairs = range(0, logits.length);
      expect(await answer(cache, pairs.slice(0, 3))).toEqual([undefined, undefined, undefined]);
      await keep(cache, pairs, logits);
      const known = await answer(cache, pairs.toReversed());
      const same = known.toReversed().map((logit, i) => Object.is(logit, logits[i]));
      expect(same).not.toContain(false);
      expect(await answer(cache, [])).toEqual([]);
    });

    it("takes pairs for equal only if ids and the document's start are", async () => {
      const pair = numbered(7);
      await keep(cache, [pair], [1]);
      const { ids } = pair;
      const others: EncodedPair[] = [
        { ...pair, secondStart: 1 },
        { ...pair, ids: Int32Array.of(...ids, 0) },
        { ...pair, ids: ids.toReversed() },
        { ...pair, ids: ids.slice(0, 2) },
      ];
      expect(await answer(cache, others)).toEqual(others.map(() => undefined));
      expect(await answer(cache, [{ ...pair, truncated: true }])).toEqual([1]);
    });

    it("gives the number that was written last", async () => {
      await keep(cache, range(0, 3), [1, 2, 3]);
      await until("the new number is known", async () => {
        cache.write([numbered(1)], [9]);
        return (await cache.read([numbered(1)]))?.[0] === 9;
      });
      expect(await answer(cache, range(0, 3))).toEqual([1, 9, 3]);
    });

    it("gives back no number that four bytes do not hold, and fails nobody who writes it", async () => {
      cache.write([numbered(1)], [0.1]);
      await keep(cache, [numbered(2)], [2]);
      expect(await answer(cache, range(1, 2))).toEqual([undefined, 2]);
    });

    it("says that it cannot be asked while it is away, fails nobody, and serves again when it is back", async () => {
      await keep(cache, range(0, 3));
      const comeBack = await place.breakOff();
      expect(await cache.read(range(0, 3))).toBeUndefined();
      cache.write(range(3, 1), [3]);
      expect(await cache.read(range(0, 3))).toBeUndefined();
      await comeBack();
      await keep(cache, range(5, 1), [9]);
      expect(await answer(cache, range(5, 1))).toEqual([9]);
    });
  });
}

import type { SeededRandom } from "../../support/random.js";

/** A case's own folder and its random numbers. */
export interface FuzzCase {
  readonly random: SeededRandom;
  /** An empty folder; only targets with files have one. */
  readonly folder: string;
}

/** Something that reads what others wrote. */
export interface FuzzTarget {
  readonly name: string;
  /** Whether it wants a folder per case. */
  readonly files: boolean;
  /** The share of the cases of a run over all targets: of what makes many files, one case takes the time of many others. */
  readonly weight: number;
  /**
   * Runs one case.
   *
   * @throws anything for what must not be; a RankmillError counts as a proper refusal
   */
  run(fuzzCase: FuzzCase): Promise<void> | void;
}

/** What must hold, and does not. */
export class Broken extends Error {}

export function must(holds: boolean, what: string, ...shown: unknown[]): void {
  if (!holds) throw new Broken(`${what}: ${shown.map((one) => JSON.stringify(one)).join(" ")}`);
}

export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** The bytes in chunks of odd sizes, as a pipe gives them. */
export async function* inPieces(random: SeededRandom, bytes: Buffer): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length;) {
    const size = Math.max(random.pick([1, 7, 64, 4_096, 65_536]), Math.ceil(bytes.length / 50));
    yield await Promise.resolve(bytes.subarray(start, start + size));
    start += size;
  }
}

/** A place for the keys and values of one prefix. */
export interface PrefixPlace {
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
}

interface Held<Kept> {
  readonly start: number;
  readonly end: number;
  readonly kept: Kept;
}

/** Places begin at a cache line. */
const ALIGNED_BYTES = 64;

/**
 * The memory in which a lane keeps prefixes: one buffer, filled in a circle. A new prefix takes the place of
 * the oldest ones. It is taken when it is first needed, and never grows.
 */
export class PrefixMemory<Kept> {
  readonly #capacityBytes: number;
  readonly #held = new Map<string, Held<Kept>>();
  #buffer: ArrayBuffer | undefined;
  #nextByte = 0;
  #usedBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** Bytes that prefixes have ever covered: the rest of the buffer is not in memory yet. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  find(key: string): Kept | undefined {
    return this.#held.get(key)?.kept;
  }

  /**
   * Computes a prefix into its place, and keeps it. One that is larger than the memory gets a place of its
   * own, and is not kept.
   */
  async fill(
    key: string,
    bytes: number,
    compute: (place: PrefixPlace) => Promise<Kept>,
  ): Promise<Kept> {
    if (bytes > this.#capacityBytes) {
      return await compute({ buffer: new ArrayBuffer(bytes), byteOffset: 0 });
    }
    const start = this.#nextByte + bytes > this.#capacityBytes ? 0 : this.#nextByte;
    const end = start + bytes;
    for (const [other, held] of this.#held) {
      if (held.start < end && start < held.end) this.#held.delete(other);
    }
    this.#buffer ??= new ArrayBuffer(this.#capacityBytes);
    this.#nextByte = Math.ceil(end / ALIGNED_BYTES) * ALIGNED_BYTES;
    this.#usedBytes = Math.max(this.#usedBytes, end);
    const kept = await compute({ buffer: this.#buffer, byteOffset: start });
    this.#held.set(key, { start, end, kept });
    return kept;
  }
}

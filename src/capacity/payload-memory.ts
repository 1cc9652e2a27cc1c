import { Permits } from "../platform/permits.js";

/**
 * The memory that a request takes at its worst, as a multiple of its JSON's bytes: the compressed
 * payload and the decompressed bytes, the text in UTF-16, the parsed strings, their copy on the way
 * to the tokenizer, and the token ids.
 */
export const PAYLOAD_MEMORY_FACTOR = 8;

/** Smaller requests die young, and the collector comes by for those all the time. */
const LASTING_BYTES = 262_144;

/**
 * Permits for requests in hand, in bytes of memory rather than of JSON.
 *
 * Garbage of a request stays in memory until the garbage collector comes by, which sees no
 * need while the heap's own limit is far: so that garbage counts too, and the collector is called
 * if requests and garbage together would exceed the pool.
 */
export class PayloadMemory {
  readonly #permits: Permits;
  readonly #collect: () => void;
  #garbage = 0;

  /** @param collect frees what is no longer reachable, at once */
  constructor(capacityBytes: number, collect: () => void) {
    this.#permits = new Permits(capacityBytes);
    this.#collect = collect;
  }

  get heldBytes(): number {
    return this.#permits.held;
  }

  get capacityBytes(): number {
    return this.#permits.capacity;
  }

  /**
   * @param jsonBytes of the request
   * @returns gives the memory back
   * @throws the signal's reason if it aborts first
   */
  async acquire(jsonBytes: number, signal?: AbortSignal): Promise<() => void> {
    const weight = jsonBytes * PAYLOAD_MEMORY_FACTOR;
    const release = await this.#permits.acquire(weight, signal);
    if (this.#permits.held + this.#garbage > this.#permits.capacity) {
      this.#collect();
      this.#garbage = 0;
    }
    let released = false;
    return () => {
      if (released) return;
      released = true;
      if (jsonBytes >= LASTING_BYTES) this.#garbage += weight;
      release();
    };
  }
}

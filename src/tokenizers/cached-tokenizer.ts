import { createHash } from "node:crypto";
import type { Tokenizer } from "../core/ports/tokenizer.js";
import type { ObserveWork } from "../core/work-events.js";

/** Bytes of an entry beside its ids: map entry, key, typed array and its buffer, and garbage not collected yet. */
const ENTRY_BYTES = 400;
/** A text that takes more than this of the cache would drive out too many others. */
const LARGEST_SHARE = 1 / 16;

interface Entry {
  readonly ids: Int32Array;
  /** True if these are all ids of the text. */
  readonly isWhole: boolean;
}

/** A text's place in a call that is under way. */
interface Reading {
  readonly batch: Promise<Int32Array[]>;
  readonly at: number;
}

/**
 * A tokenizer that remembers texts: the least recently used go first if their ids take more than
 * the cache holds. Ids that were read up to some token serve no caller who needs more. The arrays that it
 * gives are shared: callers must not write into them.
 */
export class CachedTokenizer implements Tokenizer {
  readonly kind: string;
  readonly #tokenizer: Tokenizer;
  readonly #capacityBytes: number;
  readonly #observe: ObserveWork;
  /** The entries in order of their last use. */
  readonly #entries = new Map<string, Entry>();
  #heldBytes = 0;
  /** Texts that are being read; no more than the jobs in hand have. */
  readonly #reading = new Map<string, Reading>();

  constructor(tokenizer: Tokenizer, capacityBytes: number, observe: ObserveWork) {
    this.kind = tokenizer.kind;
    this.#tokenizer = tokenizer;
    this.#capacityBytes = capacityBytes;
    this.#observe = observe;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  async encode(texts: readonly string[], atLeastTokens?: number): Promise<Int32Array[]> {
    const wanted = (atLeastTokens ?? Infinity) + 1;
    const keys = texts.map(keyOf);
    const found = new Map<string, Int32Array>();
    const missing = new Map<string, string>();
    const waiting: Promise<void>[] = [];
    let hits = 0;
    for (const [index, key] of keys.entries()) {
      const ids = this.#find(key, wanted);
      const reading = this.#reading.get(readingKey(key, wanted));
      if (ids !== undefined) {
        hits += 1;
        found.set(key, ids);
      } else if (reading !== undefined) {
        hits += 1;
        const { batch, at } = reading;
        waiting.push(batch.then((encoded) => void found.set(key, encoded[at] ?? new Int32Array())));
      } else {
        missing.set(key, texts[index] ?? "");
      }
    }
    this.#observe({ type: "looked-up", in: "tokens", hits, misses: texts.length - hits });
    if (missing.size > 0) waiting.push(this.#read(missing, atLeastTokens, wanted, found));
    await Promise.all(waiting);
    return keys.map((key) => found.get(key) ?? new Int32Array());
  }

  /** Reads the texts and keeps them; who asks for one meanwhile waits for this. */
  async #read(
    missing: ReadonlyMap<string, string>,
    atLeastTokens: number | undefined,
    wanted: number,
    found: Map<string, Int32Array>,
  ): Promise<void> {
    const batch = this.#tokenizer.encode([...missing.values()], atLeastTokens);
    const keys = [...missing.keys()];
    for (const [at, key] of keys.entries())
      this.#reading.set(readingKey(key, wanted), { batch, at });
    try {
      const encoded = await batch;
      for (const [at, key] of keys.entries()) {
        const ids = encoded[at] ?? new Int32Array();
        found.set(key, ids);
        this.#keep(key, { ids, isWhole: ids.length < wanted });
      }
    } finally {
      for (const key of keys) this.#reading.delete(readingKey(key, wanted));
    }
  }

  async close(): Promise<void> {
    this.#entries.clear();
    this.#heldBytes = 0;
    await this.#tokenizer.close();
  }

  /** @param wanted ids that the caller needs, unless the text has fewer */
  #find(key: string, wanted: number): Int32Array | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const { ids, isWhole } = entry;
    if (!isWhole && ids.length < wanted) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return ids.length > wanted ? ids.subarray(0, wanted) : ids;
  }

  #keep(key: string, entry: Entry): void {
    const bytes = bytesOf(entry);
    if (bytes > this.#capacityBytes * LARGEST_SHARE) return;
    this.#drop(key);
    this.#entries.set(key, entry);
    this.#heldBytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#heldBytes <= this.#capacityBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#heldBytes -= bytesOf(entry);
  }
}

function bytesOf({ ids }: Entry): number {
  return ids.byteLength + ENTRY_BYTES;
}

function readingKey(key: string, wanted: number): string {
  return `${key} ${wanted}`;
}

/**
 * A text's SHA-256: cheap beside tokenising, and the text itself is not kept. Lone
 * surrogates are hashed as what tokenizers read them as, U+FFFD.
 */
function keyOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

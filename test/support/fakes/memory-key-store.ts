import type { AccessKey } from "../../../src/core/access-key.js";
import { RankmillError } from "../../../src/core/errors.js";
import type { KeyStore } from "../../../src/core/ports/key-store.js";

/** Keys in memory. */
export class MemoryKeyStore implements KeyStore {
  readonly name = "memory";
  /** Questions for one key so far. */
  asked = 0;
  /** While it is unset, nobody gets an answer to `find`. */
  answers: Promise<void> = Promise.resolve();
  readonly #keys: Map<string, AccessKey>;

  constructor(keys = new Map<string, AccessKey>()) {
    this.#keys = keys;
  }

  async find(id: string): Promise<AccessKey | undefined> {
    this.asked += 1;
    await this.answers;
    return this.#keys.get(id);
  }

  async list(): Promise<AccessKey[]> {
    const all = [...this.#keys.values()];
    return await Promise.resolve(all.sort((a, b) => a.createdAt.localeCompare(b.createdAt)));
  }

  async add(key: AccessKey): Promise<void> {
    if (this.#keys.has(key.id)) throw new RankmillError("conflict", `${key.id} is taken`);
    this.#keys.set(key.id, key);
    await Promise.resolve();
  }

  async remove(id: string): Promise<boolean> {
    return await Promise.resolve(this.#keys.delete(id));
  }
}

import type { AccessKey } from "../access-key.js";

/** Most keys of one store: all of them are listed at once. */
export const MAX_KEYS = 10_000;

/** The place of the keys that a gateway lets in. It holds hashes and no token. */
export interface KeyStore {
  /** A name for people, without secrets. */
  readonly name: string;
  /** The key with this id, expired or not; undefined: there is none. */
  find(id: string): Promise<AccessKey | undefined>;
  /** All keys, the oldest first. */
  list(): Promise<AccessKey[]>;
  /**
   * Adds a key, or leaves the store as it was.
   *
   * @throws RankmillError `conflict` if its id is taken; `limit_exceeded` if the store is full;
   *   `place_unusable` if the store cannot be written
   */
  add(key: AccessKey): Promise<void>;
  /** Removes a key. @returns false if there was none */
  remove(id: string): Promise<boolean>;
}

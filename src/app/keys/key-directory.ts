import { isExpired, type AccessKey } from "../../core/access-key.js";
import { RankmillError } from "../../core/errors.js";
import type { KeyStore } from "../../core/ports/key-store.js";
import { waitAtMost } from "../../platform/wait-at-most.js";
import { hashOf, idInToken, isTokenOf } from "./token.js";

/** A key that is revoked is let in for so long at most. */
const REVOKED_WITHIN_MS = 2_000;
/** A store that is silent for longer counts as away. */
const ANSWER_WITHIN_MS = 2_000;
/** Tokens that are remembered; the one unused longest goes first. */
const MAX_REMEMBERED_TOKENS = 1_000;
/** Shorter ones can be guessed, and the guess limit lets known tokens pass. */
const LEAST_TOKEN_CHARS = 32;
/** Longer ones are no token of anybody's, and are not hashed. */
const MAX_TOKEN_CHARS = 512;

interface Remembered {
  readonly key: AccessKey;
  /** When the store was asked. */
  readonly atMs: number;
}

/** The keys that are let in: those of a store, and one that may stand in the environment. */
export class KeyDirectory {
  readonly #store: KeyStore | undefined;
  readonly #environmentHash: string | undefined;
  readonly #now: () => number;
  /** By the hash of the token, the one used last at the end. */
  readonly #remembered = new Map<string, Remembered>();
  /** Questions under way, by the hash of the token: requests that come together ask once. */
  readonly #asking = new Map<string, Promise<AccessKey | undefined>>();

  /**
   * @param environmentToken a token that the operator chose, of any form
   * @param now milliseconds since 1970
   * @throws RankmillError `invalid_option` for a token that is too short
   */
  constructor(
    store: KeyStore | undefined,
    environmentToken: string | undefined,
    now: () => number = Date.now,
  ) {
    this.#store = store;
    this.#now = now;
    if (environmentToken === undefined || environmentToken === "") return;
    const { length } = environmentToken;
    if (length < LEAST_TOKEN_CHARS || length > MAX_TOKEN_CHARS) {
      throw new RankmillError(
        "invalid_option",
        `RANKMILL_API_KEY: has ${length} characters, and needs ${LEAST_TOKEN_CHARS} to ${MAX_TOKEN_CHARS}; "openssl rand -hex 32" makes one`,
      );
    }
    this.#environmentHash = hashOf(environmentToken);
  }

  /** Whether there is any key at all. */
  async hasKeys(): Promise<boolean> {
    if (this.#environmentHash !== undefined) return true;
    return ((await this.#store?.list()) ?? []).length > 0;
  }

  /**
   * The key of a token; undefined: it is nobody's, or has expired.
   *
   * @throws RankmillError `redis_unavailable` if the store does not answer, or what it throws
   */
  async find(token: string): Promise<AccessKey | undefined> {
    if (token.length > MAX_TOKEN_CHARS) return undefined;
    const hash = hashOf(token);
    const key = this.#recall(hash) ?? (await this.#ask(hash, token));
    return key !== undefined && !isExpired(key, this.#now()) ? key : undefined;
  }

  /** Whether a token was right a moment ago, without a question to the store. */
  knows(token: string): boolean {
    return token.length <= MAX_TOKEN_CHARS && this.#remembered.has(hashOf(token));
  }

  #recall(hash: string): AccessKey | undefined {
    const found = this.#remembered.get(hash);
    if (found === undefined || this.#now() - found.atMs >= REVOKED_WITHIN_MS) return undefined;
    this.#remember(hash, found);
    return found.key;
  }

  async #ask(hash: string, token: string): Promise<AccessKey | undefined> {
    const under = this.#asking.get(hash);
    if (under !== undefined) return await under;
    const atMs = this.#now();
    const asked = this.#lookUp(token);
    this.#asking.set(hash, asked);
    try {
      const key = await asked;
      // Wrong tokens are as many as somebody likes to send: none is remembered.
      if (key === undefined) this.#remembered.delete(hash);
      else this.#remember(hash, { key, atMs });
      return key;
    } finally {
      this.#asking.delete(hash);
    }
  }

  #remember(hash: string, remembered: Remembered): void {
    this.#remembered.delete(hash);
    this.#remembered.set(hash, remembered);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED_TOKENS && oldest !== undefined) {
      this.#remembered.delete(oldest);
    }
  }

  async #lookUp(token: string): Promise<AccessKey | undefined> {
    if (this.#environmentHash !== undefined && isTokenOf(token, this.#environmentHash)) {
      return environmentKey(this.#environmentHash);
    }
    const id = idInToken(token);
    if (id === undefined || this.#store === undefined) return undefined;
    const waited = await waitAtMost(this.#store.find(id), ANSWER_WITHIN_MS);
    if (waited.status === "late") {
      throw new RankmillError("redis_unavailable", "the store of keys does not answer");
    }
    const key = waited.value;
    return key !== undefined && isTokenOf(token, key.hash) ? key : undefined;
  }
}

function environmentKey(hash: string): AccessKey {
  return {
    id: "environment",
    hash,
    name: "RANKMILL_API_KEY",
    scopes: ["rerank", "runs", "read"],
    limits: {},
    createdAt: new Date(0).toISOString(),
  };
}

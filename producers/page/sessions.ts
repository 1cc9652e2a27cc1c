import { createHmac, hash, randomBytes, timingSafeEqual } from "node:crypto";

/** A person works a day with one login. */
export const SESSION_SECONDS = 43_200;
/** More people do not share one server; the oldest session goes for the next. */
const MOST_SESSIONS = 1_000;
const TOKEN_BYTES = 32;
/** A longer text is no token of ours. */
const MOST_TOKEN_CHARS = 128;

interface Session<T> {
  readonly holder: T;
  readonly untilMs: number;
}

/** The logins of browsers, in this process alone: they end with it. Tokens are held as hashes. */
export class Sessions<T> {
  readonly #now: () => number;
  readonly #byHash = new Map<string, Session<T>>();
  readonly #key = randomBytes(TOKEN_BYTES);

  /** @param now in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns the token that the browser keeps */
  open(holder: T): string {
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    this.#byHash.set(hash("sha256", token), {
      holder,
      untilMs: this.#now() + SESSION_SECONDS * 1_000,
    });
    const [oldest] = this.#byHash.keys();
    if (this.#byHash.size > MOST_SESSIONS && oldest !== undefined) this.#byHash.delete(oldest);
    return token;
  }

  /** The holder of a session; undefined if there is none, or it is over. */
  find(token: string | undefined): T | undefined {
    if (token === undefined || token.length > MOST_TOKEN_CHARS) return undefined;
    const name = hash("sha256", token);
    const session = this.#byHash.get(name);
    if (session === undefined) return undefined;
    if (this.#now() < session.untilMs) return session.holder;
    this.#byHash.delete(name);
    return undefined;
  }

  close(token: string | undefined): void {
    if (token !== undefined) this.#byHash.delete(hash("sha256", token));
  }

  /**
   * The token that a form must carry, so that a page elsewhere cannot send it.
   *
   * @param token of the session; undefined: somebody without one, such as a script with a password
   */
  formToken(token: string | undefined): string {
    return createHmac("sha256", this.#key)
      .update(token ?? "")
      .digest("base64url");
  }

  isFormToken(given: unknown, token: string | undefined): boolean {
    const expected = Buffer.from(this.formToken(token));
    const found = Buffer.from(typeof given === "string" ? given : "");
    return found.length === expected.length && timingSafeEqual(found, expected);
  }
}

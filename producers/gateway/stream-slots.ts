import type { ServerResponse } from "node:http";
import { TooManyError } from "../../src/app/tenants/too-many.js";
import { Refusal } from "./refusal.js";

/** Streams of one process at once: each holds a connection and reads on as its client does. */
const MAX_STREAMS = 256;
/** One key must not take them all. */
const MAX_STREAMS_PER_KEY = 16;
const RETRY_MS = 2_000;

/** The long answers that are under way. */
export class StreamSlots {
  readonly #byKey = new Map<string, number>();
  #streams = 0;

  /** Takes a slot until the answer has ended. @throws TooManyError, Refusal 503 */
  take(keyId: string, outgoing: ServerResponse): void {
    const own = this.#byKey.get(keyId) ?? 0;
    if (own >= MAX_STREAMS_PER_KEY) {
      throw new TooManyError(`the key has ${own} streams open, and may have no more`, RETRY_MS);
    }
    if (this.#streams >= MAX_STREAMS) {
      const headers = { "Retry-After": String(RETRY_MS / 1_000) };
      throw new Refusal(503, "limit_exceeded", "too many streams are open: try again", headers);
    }
    this.#byKey.set(keyId, own + 1);
    this.#streams += 1;
    outgoing.once("close", () => this.#leave(keyId));
  }

  #leave(keyId: string): void {
    this.#streams -= 1;
    const left = (this.#byKey.get(keyId) ?? 1) - 1;
    if (left > 0) this.#byKey.set(keyId, left);
    else this.#byKey.delete(keyId);
  }
}

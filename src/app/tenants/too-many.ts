import { RankmillError } from "../../core/errors.js";

/** A caller asks for more than their key, or this process, gives at once: later it may. */
export class TooManyError extends RankmillError {
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterMs: number) {
    super("limit_exceeded", message);
    this.retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  }
}

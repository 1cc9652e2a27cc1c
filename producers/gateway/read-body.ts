import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { Permits } from "../../src/platform/permits.js";
import { errnoOf } from "../../src/platform/file-system-errors.js";
import { Refusal } from "./refusal.js";

export interface BodyBounds {
  /** Of one body, as it is sent and inflated. */
  readonly maxBodyBytes: number;
  /** Of all requests under way. */
  readonly maxInFlightBytes: number;
  /** The time for a whole body, in milliseconds. */
  readonly bodyMs: number;
}

/** A body in memory, counted until it is released. */
export interface HeldBody {
  readonly bytes: Buffer;
  /** Call it once the body, and all that was made of it, is no longer needed. */
  readonly release: () => void;
}

type Inflate = (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const INFLATE: ReadonlyMap<string, Inflate> = new Map<string, Inflate>([
  ["gzip", promisify(gunzip)],
  ["x-gzip", promisify(gunzip)],
  ["deflate", promisify(inflate)],
  ["br", promisify(brotliDecompress)],
]);

/** Reads bodies within a bound on each and on all of them together. */
export class BodyReader {
  readonly #bounds: BodyBounds;
  /** One body is inflated at a time: what it becomes is counted only afterwards. */
  readonly #inflating = new Permits(1);
  #inFlightBytes = 0;

  constructor(bounds: BodyBounds) {
    this.#bounds = bounds;
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  get maxBodyBytes(): number {
    return this.#bounds.maxBodyBytes;
  }

  /** @throws Refusal 413, 415, 503; 400 for a body that cannot be inflated or is cut short */
  async read(incoming: IncomingMessage): Promise<HeldBody> {
    const encoding = (incoming.headers["content-encoding"] ?? "identity").trim().toLowerCase();
    const inflated = INFLATE.get(encoding);
    if (inflated === undefined && encoding !== "identity") {
      throw new Refusal(415, "invalid_field", "Content-Encoding: gzip, deflate, br or none");
    }
    if (Number(incoming.headers["content-length"] ?? 0) > this.#bounds.maxBodyBytes) {
      throw this.#tooLarge();
    }
    let held = 0;
    const take = (bytes: number): void => {
      if (this.#inFlightBytes + bytes > this.#bounds.maxInFlightBytes) throw full();
      this.#inFlightBytes += bytes;
      held += bytes;
    };
    const release = (): void => {
      this.#inFlightBytes -= held;
      held = 0;
    };
    try {
      const packed = await this.#collect(incoming, take);
      if (inflated === undefined) return { bytes: packed, release };
      const bytes = await this.#inflate(inflated, packed);
      take(Math.max(0, bytes.length - held));
      return { bytes, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #collect(incoming: IncomingMessage, take: (bytes: number) => void): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let total = 0;
    const late = setTimeout(() => incoming.destroy(), this.#bounds.bodyMs);
    try {
      // The connection must outlive a body that is not read to its end: an answer is still to come.
      for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
        const bytes = chunk as Buffer;
        total += bytes.length;
        if (total > this.#bounds.maxBodyBytes) throw this.#tooLarge();
        take(bytes.length);
        chunks.push(bytes);
      }
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal(400, "cancelled", "the body was cut short");
    } finally {
      clearTimeout(late);
    }
    return Buffer.concat(chunks, total);
  }

  async #inflate(inflated: Inflate, packed: Buffer): Promise<Buffer> {
    const done = await this.#inflating.acquire(1);
    try {
      return await inflated(packed, { maxOutputLength: this.#bounds.maxBodyBytes });
    } catch (error) {
      if (errnoOf(error) === "ERR_BUFFER_TOO_LARGE") throw this.#tooLarge();
      throw new Refusal(400, "invalid_json", "the body is not what Content-Encoding says");
    } finally {
      done();
    }
  }

  #tooLarge(): Refusal {
    const message = `the body has more than ${this.#bounds.maxBodyBytes} bytes (maxBodyBytes)`;
    return new Refusal(413, "limit_exceeded", message);
  }
}

function full(): Refusal {
  const message = "the requests under way fill the memory for bodies (maxInFlightBytes): try again";
  return new Refusal(503, "limit_exceeded", message, { "Retry-After": "1" });
}

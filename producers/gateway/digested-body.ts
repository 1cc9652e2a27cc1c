import { createHash } from "node:crypto";

/** All of a body, as few bytes. */
export interface BodyDigest {
  readonly sha256: string;
  readonly bytes: number;
}

/** A body that is read once, as it comes, and is known by its digest afterwards. */
export class DigestedBody {
  readonly #body: AsyncIterable<Uint8Array>;
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #ended = false;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#body = body;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of this.#body) {
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
      yield chunk;
    }
    this.#ended = true;
  }

  /** @returns undefined before the end was read */
  digest(): BodyDigest | undefined {
    if (!this.#ended) return undefined;
    return { sha256: this.#hash.copy().digest("hex"), bytes: this.#bytes };
  }

  /** Reads the body, and no further than one that is equal would go. */
  async isEqualTo({ sha256, bytes }: BodyDigest): Promise<boolean> {
    for await (const _ of this.chunks()) if (this.#bytes > bytes) return false;
    return this.digest()?.sha256 === sha256;
  }
}

import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";

/** A file's size and both hashes by which the hub knows files. */
export interface ContentHashes {
  readonly bytes: number;
  readonly sha256: string;
  /** Git's id of the same bytes. Undefined if the size was not known before the first byte. */
  readonly gitBlobId: string | undefined;
}

/** Hashes that are taken as the bytes pass, and can be taken again from the start. */
export class ContentHash {
  readonly #expectedBytes: number | undefined;
  #sha256: Hash = createHash("sha256");
  #git: Hash | undefined;
  #bytes = 0;

  /** @param expectedBytes git's blob id begins with the size: without it there is none */
  constructor(expectedBytes: number | undefined) {
    this.#expectedBytes = expectedBytes;
    this.restart();
  }

  get bytes(): number {
    return this.#bytes;
  }

  take(chunk: Uint8Array): void {
    this.#sha256.update(chunk);
    this.#git?.update(chunk);
    this.#bytes += chunk.length;
  }

  restart(): void {
    const size = this.#expectedBytes;
    this.#sha256 = createHash("sha256");
    this.#git = size === undefined ? undefined : createHash("sha1").update(`blob ${size}\0`);
    this.#bytes = 0;
  }

  /** Ends the hashes: nothing can be taken after it. */
  result(): ContentHashes {
    return {
      bytes: this.#bytes,
      sha256: this.#sha256.digest("hex"),
      gitBlobId: this.#git?.digest("hex"),
    };
  }
}

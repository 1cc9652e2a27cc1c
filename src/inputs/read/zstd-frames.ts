import { ZstdError } from "./zstd-error.js";

/**
 * The largest window that is accepted, in bytes: what `zstd -d` itself accepts without being told.
 * The decoder holds one window.
 */
const MAX_WINDOW_BYTES = 2 ** 27;
/** The format's own bound of a block; the decoder takes a block of one repeated byte at its word. */
const MAX_BLOCK_BYTES = 131_072;

const FRAME_MAGIC = 0xfd2fb528;
/** With any last digit. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAGIC_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RLE_BLOCK = 1;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;

/**
 * Checks what each frame and block says of its size, before the decoder takes memory for it
 * (RFC 8878, 3.1.1). Every byte is shown to it before the decoder has it.
 *
 * *magic* → *header* → *block header* → *skipping* the block → … → *skipping* the checksum → *magic*; a
 * skippable frame goes from *magic* to *its size* to *skipping*.
 */
export class ZstdFrames {
  readonly #held = Buffer.alloc(32);
  #heldBytes = 0;
  #part: "magic" | "header" | "block" | "skippable" = "magic";
  /** Bytes of `#part` that must be held before it is read. */
  #wanted = MAGIC_BYTES;
  #skip = 0;
  #windowBytes = 0;
  #hasChecksum = false;

  /** @throws ZstdError `window_too_large`, or `corrupt` for a block that is larger than blocks may be */
  check(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      const end = Math.min(bytes.length, at + this.#wanted - this.#heldBytes);
      this.#held.set(bytes.subarray(at, end), this.#heldBytes);
      this.#heldBytes += end - at;
      at = end;
      if (this.#heldBytes === this.#wanted) this.#read();
    }
  }

  /** @throws ZstdError `cut_short` if the data end within a header: the decoder would guess the rest */
  end(): void {
    if (this.#heldBytes > 0) throw new ZstdError("cut_short", "unexpected end of zstd data");
  }

  #read(): void {
    switch (this.#part) {
      case "magic":
        return this.#readMagic();
      case "header":
        return this.#readHeader();
      case "skippable":
        return this.#next("magic", MAGIC_BYTES, this.#held.readUInt32LE(0));
      case "block":
      default:
        return this.#readBlock();
    }
  }

  #readMagic(): void {
    const magic = this.#held.readUInt32LE(0);
    // The decoder says what is wrong with any other.
    if (magic === FRAME_MAGIC) this.#next("header", 1, 0);
    else if ((magic & ~15) >>> 0 === SKIPPABLE_MAGIC) this.#next("skippable", 4, 0);
    else this.#next("magic", MAGIC_BYTES, Infinity);
  }

  #readHeader(): void {
    const flags = this.#held.readUInt8(0);
    const isSingle = (flags & 0x20) !== 0;
    const dictionaryAt = isSingle ? 1 : 2;
    const sizeAt = dictionaryAt + (DICTIONARY_BYTES[flags & 3] ?? 0);
    const sizeCode = flags >> 6;
    const sizeBytes = sizeCode === 0 ? (isSingle ? 1 : 0) : 2 ** sizeCode;
    if (this.#heldBytes < sizeAt + sizeBytes) {
      // Its first byte says how long it is.
      this.#wanted = sizeAt + sizeBytes;
      return;
    }
    this.#hasChecksum = (flags & 4) !== 0;
    this.#windowBytes = isSingle ? this.#contentBytes(sizeAt, sizeBytes) : this.#ownWindow();
    if (this.#windowBytes > MAX_WINDOW_BYTES) {
      throw new ZstdError(
        "window_too_large",
        `the zstd window has ${this.#windowBytes} bytes, over the limit of ${MAX_WINDOW_BYTES}: ` +
          `compress with --long=27 or less`,
      );
    }
    this.#next("block", BLOCK_HEADER_BYTES, 0);
  }

  /** The whole content is the window of a frame in a single segment. */
  #contentBytes(at: number, bytes: number): number {
    if (bytes === 8) return Number(this.#held.readBigUInt64LE(at));
    return this.#held.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
  }

  /** Exponent in the upper five bits, mantissa in the lower three. */
  #ownWindow(): number {
    const descriptor = this.#held.readUInt8(1);
    const base = 2 ** (10 + (descriptor >> 3));
    return base + (base / 8) * (descriptor & 7);
  }

  #readBlock(): void {
    const header = this.#held.readUIntLE(0, BLOCK_HEADER_BYTES);
    const [isLast, type, bytes] = [(header & 1) !== 0, (header >> 1) & 3, header >> 3];
    if (bytes > MAX_BLOCK_BYTES) {
      throw new ZstdError("corrupt", `a zstd block has ${bytes} bytes: over ${MAX_BLOCK_BYTES}`);
    }
    const contentBytes = type === RLE_BLOCK ? 1 : bytes;
    if (!isLast) this.#next("block", BLOCK_HEADER_BYTES, contentBytes);
    else this.#next("magic", MAGIC_BYTES, contentBytes + (this.#hasChecksum ? CHECKSUM_BYTES : 0));
  }

  #next(part: "magic" | "header" | "block" | "skippable", wanted: number, skip: number): void {
    this.#part = part;
    this.#wanted = wanted;
    this.#skip = skip;
    this.#heldBytes = 0;
  }
}

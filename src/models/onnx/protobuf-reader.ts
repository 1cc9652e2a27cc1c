import { readSync } from "node:fs";

/** Enough for the small messages between two tensors; a tensor's own bytes are skipped, not read. */
const WINDOW_BYTES = 16 * 1024;

/** A file that ends inside a field, or whose bytes are not protocol buffers. */
export class MalformedProtobufError extends Error {}

/** One field of a message: a number for varints, the end of its bytes for everything nested. */
export interface Field {
  readonly number: number;
  readonly value: number;
  /** Offset of the first byte after the field. */
  readonly end: number;
  /** True if the field has a length: a nested message, a string or packed numbers. */
  readonly nested: boolean;
}

/**
 * Walks the fields of a protocol buffer in a file through a small window, so that a model of two
 * gigabytes costs a few megabytes of reads. Wire format:
 * https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufReader {
  readonly #fd: number;
  readonly #size: number;
  readonly #window = Buffer.alloc(WINDOW_BYTES);
  #windowStart = 0;
  #windowEnd = 0;
  #position = 0;

  /** @param size bytes of the file behind `fd` */
  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#size = size;
  }

  /**
   * Calls `visit` for each field of the message that ends at `end`. A visitor may read or walk the
   * field; whatever it leaves is skipped.
   */
  walk(end: number, visit: (field: Field) => void): void {
    if (end > this.#size) throw new MalformedProtobufError(`cut off at byte ${this.#size}`);
    while (this.#position < end) {
      const field = this.#nextField(end);
      visit(field);
      this.#position = field.end;
    }
  }

  /** The bytes up to `end` as text. For names and keys, never for weights. */
  text(end: number): string {
    const bytes: number[] = [];
    while (this.#position < end) bytes.push(this.#byte());
    return Buffer.from(bytes).toString("utf8");
  }

  #nextField(end: number): Field {
    const key = this.#varint();
    const number = Math.floor(key / 8);
    const wireType = key % 8;
    if (number === 0) throw new MalformedProtobufError(`no field at byte ${this.#position}`);
    switch (wireType) {
      case 0: {
        const value = this.#varint();
        return { number, value, end: this.#position, nested: false };
      }
      case 1:
        return this.#skipped(number, 8, end);
      case 2: {
        const length = this.#varint();
        const fieldEnd = this.#position + length;
        if (fieldEnd > end) {
          throw new MalformedProtobufError(
            `byte ${fieldEnd} is needed, the file ends at ${this.#size}`,
          );
        }
        return { number, value: fieldEnd, end: fieldEnd, nested: true };
      }
      case 5:
        return this.#skipped(number, 4, end);
      default:
        throw new MalformedProtobufError(`wire type ${wireType} at byte ${this.#position}`);
    }
  }

  #skipped(number: number, bytes: number, end: number): Field {
    const fieldEnd = this.#position + bytes;
    if (fieldEnd > end) throw new MalformedProtobufError(`cut off at byte ${this.#size}`);
    return { number, value: 0, end: fieldEnd, nested: false };
  }

  /** Negative numbers come out as large positive ones: nothing read here may be negative. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new MalformedProtobufError(`an endless number at byte ${this.#position}`);
  }

  #byte(): number {
    if (this.#position < this.#windowStart || this.#position >= this.#windowEnd) this.#fill();
    const byte = this.#window[this.#position - this.#windowStart];
    if (byte === undefined || this.#position >= this.#windowEnd) {
      throw new MalformedProtobufError(`cut off at byte ${this.#size}`);
    }
    this.#position += 1;
    return byte;
  }

  #fill(): void {
    const read = readSync(this.#fd, this.#window, 0, WINDOW_BYTES, this.#position);
    this.#windowStart = this.#position;
    this.#windowEnd = this.#position + read;
  }
}

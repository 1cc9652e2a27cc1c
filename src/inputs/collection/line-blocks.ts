/** `\n`. */
export const NEWLINE = 10;
/** `\r`. */
export const CARRIAGE_RETURN = 13;
/** Bytes of an unreadable line that are kept to show which one it was. */
export const HEAD_BYTES = 1024;

/** The byte order mark of UTF-8. */
export const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** A stretch of whole lines, or one line that was too long to hold. */
export type LineBlock =
  | {
      readonly kind: "lines";
      /** Whole lines, each ended by `\n`; only the last of the input may lack it. */
      readonly bytes: Buffer;
      /** Place of `bytes` in the input, in bytes. */
      readonly offset: number;
    }
  | {
      readonly kind: "overlong";
      /** Length of the line in bytes, its line ending left out. */
      readonly byteLength: number;
      /** Its first `HEAD_BYTES` bytes. */
      readonly head: Buffer;
    };

/**
 * Cuts a byte stream into blocks of whole lines, without a copy of more than a chunk and without
 * looking at single bytes: what decides the speed of every reader here. A byte order mark at the
 * start is left out.
 *
 * Memory: one chunk and at most `maxLineBytes` carried over from the chunks before. A line that
 * grows past that while it is carried is dropped as it comes in. A line over the limit that lies
 * inside a chunk is in its block all the same: callers compare each line with the limit.
 *
 * States: *carrying* (the start of an unfinished line is held) and *dropping* (that line was too
 * long: only its length and head are).
 */
export async function* lineBlocks(
  source: AsyncIterable<Uint8Array | string>,
  maxLineBytes: number,
): AsyncGenerator<LineBlock, void, undefined> {
  let carried: Buffer[] = [];
  let carriedBytes = 0;
  let offset = 0;
  let dropped: DroppedLine | undefined;

  for await (const chunk of source) {
    let rest = toBuffer(chunk);
    if (dropped !== undefined) {
      const end = rest.indexOf(NEWLINE);
      dropped.add(end < 0 ? rest : rest.subarray(0, end));
      if (end < 0) continue;
      yield dropped.toBlock();
      offset += dropped.byteLength + 1;
      dropped = undefined;
      rest = rest.subarray(end + 1);
    }

    const lastNewline = rest.lastIndexOf(NEWLINE);
    if (lastNewline >= 0) {
      const complete = rest.subarray(0, lastNewline + 1);
      const bytes = carriedBytes === 0 ? complete : Buffer.concat([...carried, complete]);
      yield withoutBom(bytes, offset);
      offset += bytes.length;
      carried = [];
      carriedBytes = 0;
      rest = rest.subarray(lastNewline + 1);
    }
    if (rest.length === 0) continue;
    carried.push(rest);
    carriedBytes += rest.length;
    // One byte more may be the carriage return of a line exactly at the limit, three the mark.
    if (carriedBytes > maxLineBytes + 1 + BOM.length) {
      dropped = new DroppedLine();
      for (const part of carried) dropped.add(part);
      carried = [];
      carriedBytes = 0;
    }
  }

  if (dropped !== undefined) yield dropped.toBlock();
  else if (carriedBytes > 0) yield withoutBom(Buffer.concat(carried), offset);
}

/** The end of a line's text: its place without the carriage return of a CRLF. */
export function textEnd(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
}

class DroppedLine {
  byteLength = 0;
  private readonly head = Buffer.alloc(HEAD_BYTES);
  private headBytes = 0;
  private endsInReturn = false;

  add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.headBytes += bytes.copy(this.head, this.headBytes);
    this.byteLength += bytes.length;
    this.endsInReturn = bytes[bytes.length - 1] === CARRIAGE_RETURN;
  }

  toBlock(): LineBlock {
    return {
      kind: "overlong",
      byteLength: this.byteLength - (this.endsInReturn ? 1 : 0),
      head: this.head.subarray(0, this.headBytes),
    };
  }
}

function withoutBom(bytes: Buffer, offset: number): LineBlock {
  if (offset === 0 && bytes.subarray(0, BOM.length).equals(BOM)) {
    return { kind: "lines", bytes: bytes.subarray(BOM.length), offset: BOM.length };
  }
  return { kind: "lines", bytes, offset };
}

/** A view of the same bytes; a stream that was given an encoding yields strings. */
export function toBuffer(chunk: Uint8Array | string): Buffer {
  if (typeof chunk === "string") return Buffer.from(chunk);
  return Buffer.isBuffer(chunk)
    ? chunk
    : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

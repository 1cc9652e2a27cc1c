import { isUtf8 } from "node:buffer";
import { BOM, CARRIAGE_RETURN, HEAD_BYTES, NEWLINE, toBuffer } from "../collection/line-blocks.js";
import type { ByteSource, Line, LineOptions } from "./lines.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * The items of a JSON array, or JSON objects one after another, each as its own text: parsing is the
 * reader's business, so that one broken item costs itself alone. Memory: a chunk and one item.
 */
export async function* jsonItems(
  source: ByteSource,
  options: LineOptions,
): AsyncGenerator<Line, void, undefined> {
  const scanner = new ItemScanner(options.maxLineBytes);
  let first = true;
  for await (const chunk of source) {
    let bytes = toBuffer(chunk);
    if (first && bytes.subarray(0, BOM.length).equals(BOM)) bytes = bytes.subarray(BOM.length);
    first = false;
    yield* scanner.take(bytes);
  }
  yield* scanner.end();
}

/**
 * Cuts bytes into items.
 *
 * *before* an array → *between* two items ⇄ *in* an item. Without an array, objects stand between.
 */
class ItemScanner {
  readonly #maxBytes: number;
  #number = 0;
  /** Brackets that are open within the item. */
  #depth = 0;
  #inString = false;
  /** Whether a line ends within a string, which no JSON has. */
  #isBroken = false;
  #escaped = false;
  #inItem = false;
  /** Whether the array's own bracket is open. */
  #inArray = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #itemBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  *take(bytes: Buffer): Generator<Line, void, undefined> {
    let start = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (!this.#inItem) {
        if (isBetween(byte)) continue;
        // One array after another, as programs that fetch page by page write them, is one list.
        if (byte === OPEN_ARRAY && !this.#inArray) {
          this.#inArray = true;
          continue;
        }
        if (byte === CLOSE_ARRAY && this.#inArray) {
          this.#inArray = false;
          continue;
        }
        this.#begin();
        start = at;
      }
      const ended = this.#step(byte);
      if (ended === "no") continue;
      // What ends a bare value belongs to the array.
      const end = ended === "with" ? at + 1 : at;
      this.#hold(bytes.subarray(start, end));
      yield this.#item();
      if (ended === "before" && byte === CLOSE_ARRAY) this.#inArray = false;
    }
    if (this.#inItem) this.#hold(bytes.subarray(start));
  }

  /** An array that lacks its end lacks items too, unless it was torn in the middle of one, which is refused. */
  *end(): Generator<Line, void, undefined> {
    if (this.#inItem) yield this.#item();
    else if (this.#inArray) yield withoutEnd(this.#number + 1);
  }

  /** @returns whether the item ends with this byte, or before it */
  #step(byte: number): "no" | "with" | "before" {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      else if (byte === NEWLINE || byte === CARRIAGE_RETURN) this.#isBroken = true;
      return "no";
    }
    if (byte === QUOTE) {
      this.#inString = true;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      this.#depth += 1;
    } else if (this.#depth === 0 && (byte === COMMA || byte === CLOSE_ARRAY)) {
      return "before";
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      this.#depth -= 1;
      if (this.#depth <= 0) return "with";
    }
    return "no";
  }

  #begin(): void {
    this.#inItem = true;
    this.#number += 1;
    this.#depth = 0;
    this.#inString = false;
    this.#isBroken = false;
    this.#escaped = false;
    this.#held = [];
    this.#heldBytes = 0;
    this.#itemBytes = 0;
  }

  /** Keeps a part of the item; of one that is too long, its head alone. */
  #hold(part: Buffer): void {
    this.#itemBytes += part.length;
    const most = this.#itemBytes > this.#maxBytes ? HEAD_BYTES : this.#maxBytes;
    if (this.#heldBytes > most) {
      this.#held = [Buffer.concat(this.#held).subarray(0, most)];
      this.#heldBytes = most;
    }
    const kept = part.subarray(0, Math.max(0, most - this.#heldBytes));
    this.#held.push(kept);
    this.#heldBytes += kept.length;
  }

  #item(): Line {
    this.#inItem = false;
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    const lineNumber = this.#number;
    const head = new TextDecoder().decode(bytes.subarray(0, HEAD_BYTES), { stream: true });
    if (this.#itemBytes > this.#maxBytes) {
      const message = `item ${lineNumber} has ${this.#itemBytes} bytes, over the limit of ${this.#maxBytes}`;
      return { status: "unreadable", lineNumber, code: "limit_exceeded", message, head };
    }
    if (!isUtf8(bytes)) {
      const message = `item ${lineNumber} is not valid UTF-8`;
      return { status: "unreadable", lineNumber, code: "invalid_json", message, head };
    }
    // Put on one line it would be another text.
    if (this.#isBroken) {
      const message = `item ${lineNumber} is not JSON: a line ends within a string`;
      return { status: "unreadable", lineNumber, code: "invalid_json", message, head };
    }
    // On one line, as whoever writes it down again must have it: a JSON text has no line end within a string.
    const text = bytes
      .toString("utf8")
      .trim()
      .replaceAll(/[\r\n]+\s*/g, " ");
    return { status: "line", lineNumber, text };
  }
}

function withoutEnd(lineNumber: number): Line {
  const message = `the array has no end after item ${lineNumber - 1}: the file is cut short`;
  return { status: "unreadable", lineNumber, code: "invalid_json", message, head: "" };
}

/** White space, and the commas between items. */
function isBetween(byte: number): boolean {
  return byte === COMMA || byte <= 0x20;
}

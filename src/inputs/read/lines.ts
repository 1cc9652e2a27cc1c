import { isAscii, isUtf8 } from "node:buffer";
import { describeError, type ErrorCode } from "../../core/errors.js";
import { HEAD_BYTES, lineBlocks, NEWLINE, textEnd } from "../collection/line-blocks.js";

/** A line that could be read as text. */
export interface TextLine {
  readonly status: "line";
  /** The number of the line, from 1; blank lines count. */
  readonly lineNumber: number;
  /** The text without line ending, and without the byte order mark on line 1. */
  readonly text: string;
}

/** A line that could not be used. It never stops a file: the next line follows. */
export interface UnreadableLine {
  readonly status: "unreadable";
  readonly lineNumber: number;
  readonly code: Extract<
    ErrorCode,
    "limit_exceeded" | "invalid_json" | "invalid_field" | "duplicate_id"
  >;
  readonly message: string;
  /** The first 1 KiB of the line, what is not UTF-8 replaced. */
  readonly head: string;
}

export type Line = TextLine | UnreadableLine;

/** A line of JSONL. */
export type JsonLine =
  | {
      readonly status: "parsed";
      readonly lineNumber: number;
      readonly value: unknown;
      readonly text: string;
    }
  | UnreadableLine;

export interface LineOptions {
  /** A longer line is reported and skipped, without being held. Bytes, line ending left out. */
  readonly maxLineBytes: number;
}

export type ByteSource = AsyncIterable<Uint8Array | string>;

/**
 * Reads the lines of a byte stream in bounded memory: one chunk and one line. Ends of line are `\n`
 * or `\r\n`; blank lines are skipped but counted; the last line needs no end. A line that is over
 * the limit or not UTF-8 is reported in its place and the next one follows.
 */
export async function* readLines(
  source: ByteSource,
  options: LineOptions,
): AsyncGenerator<Line, void, undefined> {
  for await (const batch of readLineBatches(source, options)) yield* batch;
}

/**
 * `readLines` with the lines of one chunk at a time: an await a line would cost more than the line
 * if lines are short.
 */
export async function* readLineBatches(
  source: ByteSource,
  options: LineOptions,
): AsyncGenerator<Line[], void, undefined> {
  let lineNumber = 0;
  for await (const block of lineBlocks(source, options.maxLineBytes)) {
    if (block.kind === "overlong") {
      lineNumber += 1;
      yield [overlong(lineNumber, block.byteLength, block.head, options)];
      continue;
    }
    const { bytes } = block;
    const batch: Line[] = [];
    // One pass of vector code over the block decides how its lines are decoded.
    const encoding = isAscii(bytes) ? "latin1" : "utf8";
    const allValid = encoding === "latin1" || isUtf8(bytes);
    for (let start = 0; start < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, start);
      const next = newline < 0 ? bytes.length : newline + 1;
      const end = textEnd(bytes, start, newline < 0 ? bytes.length : newline);
      lineNumber += 1;
      if (end - start > options.maxLineBytes) {
        batch.push(overlong(lineNumber, end - start, bytes.subarray(start, end), options));
      } else if (allValid || isUtf8(bytes.subarray(start, end))) {
        const text = bytes.toString(encoding, start, end);
        if (!isBlank(text)) batch.push({ status: "line", lineNumber, text });
      } else {
        const head = headOf(bytes.subarray(start, end));
        const message = `line ${lineNumber} is not valid UTF-8`;
        batch.push({ status: "unreadable", lineNumber, code: "invalid_json", message, head });
      }
      start = next;
    }
    if (batch.length > 0) yield batch;
  }
}

/** The lines of a source that rankmill wrote itself, however long; of one that is damaged, what can be read. */
export async function* ownLines(source: ByteSource): AsyncGenerator<string, void, undefined> {
  for await (const line of readLines(source, { maxLineBytes: Number.MAX_SAFE_INTEGER })) {
    yield line.status === "line" ? line.text : line.head;
  }
}

/** The number of lines that `readLines` would yield: blank ones left out, unreadable ones counted. */
export async function countLines(source: ByteSource, options: LineOptions): Promise<number> {
  let count = 0;
  for await (const batch of readLineBatches(source, options)) count += batch.length;
  return count;
}

/** A line that is not JSON is reported in its place. */
export function parseJsonLine(line: TextLine): JsonLine {
  const { lineNumber, text } = line;
  try {
    return { status: "parsed", lineNumber, value: JSON.parse(text) as unknown, text };
  } catch (error) {
    const { message } = describeError(error);
    return unusable(line, "invalid_json", `line ${lineNumber} is not JSON: ${message}`);
  }
}

/** A line whose text cannot be used, as a reader reports it. `message` names the line. */
export function unusable(
  line: TextLine,
  code: UnreadableLine["code"],
  message: string,
): UnreadableLine {
  const { lineNumber, text } = line;
  // A character takes a byte at least: no more than this many are needed.
  const head = headOf(Buffer.from(text.slice(0, HEAD_BYTES)));
  return { status: "unreadable", lineNumber, code, message, head };
}

function overlong(
  lineNumber: number,
  byteLength: number,
  bytes: Buffer,
  { maxLineBytes }: LineOptions,
): UnreadableLine {
  const message = `line ${lineNumber} has ${byteLength} bytes, over the limit of ${maxLineBytes}`;
  return {
    status: "unreadable",
    lineNumber,
    code: "limit_exceeded",
    message,
    head: headOf(bytes),
  };
}

function headOf(bytes: Buffer): string {
  // `stream` leaves out a character that the cut went through.
  const stream = bytes.length > HEAD_BYTES;
  return new TextDecoder().decode(bytes.subarray(0, HEAD_BYTES), { stream });
}

function isBlank(text: string): boolean {
  // Nearly every line starts with something visible: looked at first.
  return text.length === 0 || (text.charCodeAt(0) <= 32 && text.trim() === "");
}

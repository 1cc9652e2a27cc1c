import { ReadableStream } from "node:stream/web";

/** Texts that are sent at once: one by one would cost a write each. */
const PIECE_CHARS = 65_536;

/**
 * Lines as the body of an answer; they are made as fast as the client reads.
 *
 * @param pieceChars characters that are sent at once; 1: each line at once
 */
export function streamLines(
  lines: AsyncIterable<string>,
  pieceChars = PIECE_CHARS,
): ReadableStream<Uint8Array> {
  return ReadableStream.from(pieces(lines, pieceChars));
}

/** Bytes as the body of an answer; they are read as fast as the client reads. */
export function streamBytes(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks);
}

async function* pieces(
  lines: AsyncIterable<string>,
  pieceChars: number,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = "";
  for await (const line of lines) {
    text += `${line}\n`;
    if (text.length < pieceChars) continue;
    yield encoder.encode(text);
    text = "";
  }
  if (text !== "") yield encoder.encode(text);
}

import { toBuffer } from "../collection/line-blocks.js";
import type { ByteSource } from "./lines.js";

export interface Peeked {
  /** The first bytes; fewer only if there are no more. */
  readonly start: Buffer;
  /** All bytes, these included. */
  readonly all: ByteSource;
}

/** Reads the first bytes of a stream, and gives them back with the rest. */
export async function peek(source: ByteSource, bytes: number): Promise<Peeked> {
  const chunks = source[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  let length = 0;
  while (length < bytes) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    const chunk = toBuffer(value);
    held.push(chunk);
    length += chunk.length;
  }
  const start = Buffer.concat(held);
  return { start: start.subarray(0, bytes), all: rejoin(start, chunks) };
}

async function* rejoin(
  start: Buffer,
  rest: AsyncIterator<Uint8Array | string>,
): AsyncGenerator<Uint8Array | string, void, undefined> {
  try {
    if (start.length > 0) yield start;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}

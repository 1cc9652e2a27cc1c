import { toBuffer } from "../collection/line-blocks.js";
import type { ByteSource } from "./lines.js";

export interface Peeked<T> {
  /** The answer to the first bytes; undefined if they gave none. */
  readonly found: T | undefined;
  /** All bytes, those that were read ahead included. */
  readonly all: ByteSource;
}

/**
 * Asks the start of a stream until it has an answer, at most over so many bytes. A stream that pauses is
 * not waited for once there is an answer.
 *
 * @param answer is asked again each time that more has come; `isWhole` once nothing more will
 */
export async function peek<T>(
  source: ByteSource,
  mostBytes: number,
  answer: (start: Buffer, isWhole: boolean) => T | undefined,
): Promise<Peeked<T>> {
  const chunks = source[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  let found: T | undefined;
  let isWhole = false;
  while (found === undefined && !isWhole) {
    const { done, value } = await chunks.next();
    if (done !== true) start = Buffer.concat([start, toBuffer(value)]);
    isWhole = done === true || start.length >= mostBytes;
    found = answer(start.subarray(0, mostBytes), isWhole);
  }
  return { found, all: rejoin(start, chunks) };
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

import type { IncomingMessage } from "node:http";

/** A body as it comes. The connection outlives one that is not read to its end: an answer is still to come. */
export async function* chunksOf(
  incoming: IncomingMessage,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    yield chunk as Uint8Array;
  }
}

import type { IncomingMessage } from "node:http";
import { Refusal } from "./refusal.js";

/**
 * A body as it comes. The connection outlives one that is not read to its end: an answer is still to come.
 *
 * @throws Refusal 400 for a body that breaks off
 */
export async function* chunksOf(
  incoming: IncomingMessage,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = incoming.iterator({ destroyOnReturn: false });
  try {
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      yield next.value as Uint8Array;
    }
  } catch {
    throw new Refusal(400, "cancelled", "the body was cut short");
  } finally {
    await chunks.return?.();
  }
}

import type { IncomingMessage } from "node:http";
import { finished } from "node:stream/promises";
import type { MiddlewareHandler } from "hono";
import { waitAtMost } from "../../src/platform/wait-at-most.js";
import type { GatewayEnv } from "./env.js";

/** A client that is still sending is read for this long before it is told why nobody listens. */
const REST_MS = 500;

/**
 * Reads the rest of a body that was refused, and throws it away, before the answer goes out: a client that is
 * still sending may lose an answer with whose end the connection ends. If the rest takes too long, the
 * answer says that the connection ends: a client that used it for another request would lose that one.
 */
export function readUnreadBodies(): MiddlewareHandler<GatewayEnv> {
  return async (context, next) => {
    await next();
    const { incoming } = context.env;
    if (context.res.status < 400 || !isUnread(incoming)) return;
    if (!(await readRest(incoming))) context.header("Connection", "close");
  };
}

function isUnread({ headers, readableEnded }: IncomingMessage): boolean {
  const { "content-length": length = "0", "transfer-encoding": encoding } = headers;
  return !readableEnded && (encoding !== undefined || Number(length) > 0);
}

/** @returns whether all of it came in time */
async function readRest(incoming: IncomingMessage): Promise<boolean> {
  if (incoming.destroyed) return false;
  const over = new AbortController();
  const isWhole = finished(incoming, { signal: over.signal, cleanup: true }).then(
    () => true,
    () => false,
  );
  incoming.resume();
  const waited = await waitAtMost(isWhole, REST_MS);
  over.abort();
  return waited.status === "settled" && waited.value;
}

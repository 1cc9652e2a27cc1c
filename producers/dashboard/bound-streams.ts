import type { ServerResponse } from "node:http";
import type { Context } from "hono";

/** Streams at once; each asks Redis every few seconds. */
const MOST_STREAMS = 32;

/** Counts the pages that are watched. @returns what takes a stream, or says why it cannot */
export function boundStreams(): (context: Context, outgoing: ServerResponse) => string | undefined {
  let streams = 0;
  return (_, outgoing) => {
    if (streams >= MOST_STREAMS) {
      return `${MOST_STREAMS} pages are watched already: close one, and load this page again`;
    }
    streams += 1;
    outgoing.once("close", () => (streams -= 1));
    return undefined;
  };
}

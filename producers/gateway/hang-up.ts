import type { ServerResponse } from "node:http";

/** A signal that aborts when the client of `outgoing` hangs up before its answer. */
export function hangUpSignal(outgoing: ServerResponse): AbortSignal {
  const controller = new AbortController();
  if (outgoing.destroyed) controller.abort();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) controller.abort();
  });
  return controller.signal;
}

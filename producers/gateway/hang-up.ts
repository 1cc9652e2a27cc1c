import type { ServerResponse } from "node:http";

/**
 * A signal that aborts when the client of `outgoing` hangs up before its answer.
 *
 * @param stopping aborts it too
 */
export function hangUpSignal(outgoing: ServerResponse, stopping?: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  if (stopping?.aborted === true || outgoing.destroyed) stop();
  stopping?.addEventListener("abort", stop, { once: true });
  outgoing.once("close", () => {
    stopping?.removeEventListener("abort", stop);
    if (!outgoing.writableFinished) stop();
  });
  return controller.signal;
}

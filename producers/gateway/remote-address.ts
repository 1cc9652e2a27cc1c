import type { IncomingMessage } from "node:http";

/**
 * The address of whoever asks. Behind a proxy that is trusted, the last address that `X-Forwarded-For`
 * names: the proxy added it, and whatever stands before it may be made up.
 */
export function remoteAddress({ socket, headers }: IncomingMessage, trustsProxy: boolean): string {
  const own = socket.remoteAddress ?? "";
  if (!trustsProxy) return own;
  const named = String(headers["x-forwarded-for"] ?? "");
  return named.split(",").at(-1)?.trim() || own;
}

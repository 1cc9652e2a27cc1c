import { holdBinary, type HeldServer } from "./private-redis-binary.js";
import { removeFolder } from "./private-redis-folder.js";
import { holdJsServer, JsServerMissingError } from "./private-redis-js.js";
import type { GuardianOrders, GuardianReport } from "./private-redis-protocol.js";

/**
 * Starts the server, holds it until the parent asks for its end or is gone, ends it and removes its
 * folder. States: starting, holding, ending. The end may be asked for in any of them; a server that
 * dies by itself while it is held leads to ending too, with a report.
 *
 * @param endAsked resolves when the parent asks for the end or is no more
 * @param report must not throw, even if nobody listens any more
 */
export async function guard(
  orders: GuardianOrders,
  endAsked: Promise<void>,
  report: (report: GuardianReport) => void,
): Promise<void> {
  try {
    const server = await start(orders, report);
    if (server === undefined) return;
    report({
      type: "started",
      serverPid: server.pid,
      ...(server.version !== undefined && { version: server.version }),
    });
    const reason = await Promise.race([endAsked, server.ended]);
    if (reason === undefined) await server.stop();
    else report({ type: "server_died", reason });
  } finally {
    await removeFolder(orders.folder);
  }
}

async function start(
  orders: GuardianOrders,
  report: (report: GuardianReport) => void,
): Promise<HeldServer | undefined> {
  try {
    return orders.kind === "js" ? await holdJsServer(orders.socketPath) : await holdBinary(orders);
  } catch (error) {
    report({
      type: "failed",
      code: error instanceof JsServerMissingError ? "missing_dependency" : "redis_unavailable",
      reason: error instanceof Error ? error.message : String(error),
    });
    return undefined;
  }
}

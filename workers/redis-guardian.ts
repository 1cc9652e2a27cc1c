/**
 * The guardian of a private Redis: a small process in a session of its own that starts the server,
 * and ends it when the command that asked for it says so or is gone, whatever way it went.
 * Signals do not end it: Ctrl-C, a closed terminal or a service manager's SIGTERM reach the command
 * too, which drains its work through this server first and then asks for the end.
 */
import { guard } from "../src/redis/private-server/private-redis-guardian.js";
import {
  type GuardianReport,
  parseOrders,
  STOP_MESSAGE,
} from "../src/redis/private-server/private-redis-protocol.js";

/** The end of the IPC channel tells at once; this is for a channel that somebody else holds open. */
const PARENT_CHECK_INTERVAL_MS = 1_000;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
  process.on(signal, () => undefined);
}
// The reader may be dead already; that must not end the guardian before its server.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);
process.title = "rankmill-redis-guardian";

const orders = parseOrders(process.argv[2]);

const endAsked = new Promise<void>((resolve) => {
  process.on("message", (message) => {
    if (message === STOP_MESSAGE) resolve();
  });
  process.once("disconnect", resolve);
  const timer = setInterval(() => {
    if (process.ppid !== orders.parentPid) resolve();
  }, PARENT_CHECK_INTERVAL_MS);
  timer.unref();
  // It may have ended while this process was loading.
  if (!process.connected || process.ppid !== orders.parentPid) resolve();
});

const reportsSent: Promise<void>[] = [];

function report(message: GuardianReport): void {
  if (!process.connected) return;
  reportsSent.push(
    new Promise((resolve) => {
      // The callback also takes the error of a channel that has just been closed.
      process.send?.(message, undefined, undefined, () => resolve());
    }),
  );
}

await guard(orders, endAsked, report);
await Promise.all(reportsSent);
// Handles that the server's library still holds open must not keep the guardian alive.
process.exit(0);

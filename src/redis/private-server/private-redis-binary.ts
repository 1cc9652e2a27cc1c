import { spawn, type ChildProcess } from "node:child_process";
import type { BinaryOrders } from "./private-redis-protocol.js";

/** A running server in the hands of its guardian. */
export interface HeldServer {
  readonly pid: number;
  /** Only if the server's INFO does not tell its version. */
  readonly version?: string;
  /** Resolves, asked or unasked, with a sentence on how the server ended. */
  readonly ended: Promise<string>;
  /** Ends the server within a deadline; resolves when nothing of it is left but its folder. */
  stop(): Promise<void>;
}

/** Redis closes its append-only file in milliseconds; beyond this it hangs and is killed. */
const STOP_DEADLINE_MS = 5_000;

/**
 * Blocks on its standard input, a pipe from the guardian, which ends when the guardian dies by any
 * cause; then kills the server. It is a shell because that costs 1 MB and is on every system that
 * has a redis-server. The working directory tells the server from a stranger with the same id;
 * if there is no /proc the id alone must do: it was valid a moment ago.
 * Arguments: the server's process id, its folder.
 */
const WATCHER_SCRIPT = `
trap '' INT HUP TERM QUIT
while read -r _; do :; done
if [ ! -e /proc/self/cwd ] || [ "$(readlink "/proc/$1/cwd")" = "$2" ]; then kill -KILL "$1"; fi
rm -rf -- "$2"
`;

/**
 * Starts a `redis-server` or `valkey-server` and a watcher that kills it should this process be
 * killed. Its output goes to this process's standard error.
 *
 * @throws Error if the program cannot be started at all
 */
export async function holdBinary(orders: BinaryOrders): Promise<HeldServer> {
  const server = spawn(orders.program, [orders.configPath], {
    cwd: orders.folder,
    stdio: ["ignore", 2, 2],
  });
  const ended = new Promise<string>((resolve, reject) => {
    server.once("exit", (code, signal) => {
      resolve(signal === null ? `it exited with code ${code}` : `it was killed by ${signal}`);
    });
    server.once("error", reject);
  });
  const { pid } = server;
  if (pid === undefined) {
    await ended;
    throw new Error(`${orders.program} could not be started`);
  }
  const watcher = startWatcher(pid, orders.folder);
  // Before its pipe ends by our own exit: the server's id is nobody's now.
  void ended.then(() => watcher.kill("SIGKILL"));
  return {
    pid,
    ended,
    async stop() {
      server.kill("SIGTERM");
      const deadline = setTimeout(() => server.kill("SIGKILL"), STOP_DEADLINE_MS);
      await ended;
      clearTimeout(deadline);
    },
  };
}

function startWatcher(serverPid: number, folder: string): ChildProcess {
  const watcher = spawn(
    "/bin/sh",
    ["-c", WATCHER_SCRIPT, "rankmill-redis-watcher", String(serverPid), folder],
    { cwd: "/", stdio: ["pipe", "ignore", "ignore"] },
  );
  // Without a shell the guardian and the command still watch each other.
  watcher.on("error", () => undefined);
  watcher.stdin?.on("error", () => undefined);
  return watcher;
}

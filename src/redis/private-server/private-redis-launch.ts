import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { RankmillError } from "../../core/errors.js";
import {
  killServerOf,
  makePrivateFolder,
  type PrivateFolder,
  removeFolder,
  writeServerConfig,
} from "./private-redis-folder.js";
import {
  type GuardianOrders,
  type GuardianReport,
  parseReport,
  STOP_MESSAGE,
} from "./private-redis-protocol.js";
import { describeRedis, type RedisDescription } from "../redis-info.js";
import { startedChild } from "../../platform/no-more-files.js";

export interface LaunchOptions {
  /** The program, or `js` for js-redis-server. */
  readonly server: { readonly path: string } | "js";
  readonly guardianPath: string | URL;
  readonly tempFolder: string;
  readonly keptFolder: string | undefined;
  readonly startDeadlineMs: number;
}

/** A private server that answers, with the guardian that holds it. */
export interface LaunchedServer {
  readonly place: PrivateFolder;
  readonly description: RedisDescription;
  /** The version of the package if that is js-redis-server, else the server's own. */
  readonly version: string;
  readonly exited: Promise<ServerExit>;
  stop(deadlineMs?: number): Promise<void>;
}

export interface ServerExit {
  /** True after `stop()`. */
  readonly expected: boolean;
  readonly reason: string;
}

const RETRY_INTERVAL_MS = 20;
/** The guardian gives the server 5 s; beyond this the guardian itself hangs and is killed. */
const STOP_DEADLINE_MS = 8_000;
/** Enough for what Node prints when it cannot load the guardian. */
const KEPT_OUTPUT_LINES = 10;
/** The time for output that something else still holds open: the lines are worth no longer wait. */
const OUTPUT_DEADLINE_MS = 500;

/**
 * Starts one server under a guardian of its own and waits until it answers.
 *
 * @throws RankmillError `missing_dependency` if the server's package is not installed;
 *   `redis_unavailable` with the server's last lines if it does not answer within the deadline.
 *   Either way nothing is left of it.
 */
export async function launchServer(options: LaunchOptions): Promise<LaunchedServer> {
  const place = await makePrivateFolder(options.tempFolder, options.keptFolder);
  let guardian: Guardian;
  try {
    guardian = new Guardian(options.guardianPath, await makeOrders(options.server, place));
  } catch (error) {
    await removeFolder(place.folder);
    throw error;
  }
  const abort = new AbortController();
  const deadline = setTimeout(() => abort.abort(), options.startDeadlineMs);
  try {
    const description = await Promise.race([
      describeWhenReady(place.socketPath, abort.signal),
      guardian.exited.then(() => undefined),
    ]);
    if (description !== undefined) {
      guardian.holdNobody();
      const version = guardian.serverVersion ?? description.version;
      return {
        place,
        description,
        version,
        exited: guardian.exited,
        stop: (ms) => guardian.stop(ms),
      };
    }
    const { reason } = await guardian.exited;
    const code = guardian.failure?.code ?? "redis_unavailable";
    throw new RankmillError(code, withOutput(reason, guardian.lastOutput));
  } catch (error) {
    await guardian.stop();
    if (!abort.signal.aborted) throw error;
    const reason = `it did not answer within ${options.startDeadlineMs} ms`;
    throw new RankmillError("redis_unavailable", withOutput(reason, guardian.lastOutput));
  } finally {
    clearTimeout(deadline);
    // Ends the attempts to connect if the guardian was the first to say something.
    abort.abort();
  }
}

async function makeOrders(
  server: LaunchOptions["server"],
  place: PrivateFolder,
): Promise<GuardianOrders> {
  const common = { ...place, parentPid: process.pid };
  if (server === "js") return { kind: "js", ...common };
  const configPath = await writeServerConfig(place);
  return { kind: "binary", program: server.path, configPath, ...common };
}

/**
 * The command's side of a guardian. States: running, stopping (after `stop()`), exited (the process
 * is gone, a server it may have left behind is killed, and the folder is removed). It goes from
 * running to exited directly if server or guardian die unasked.
 */
class Guardian {
  readonly exited: Promise<ServerExit>;
  /** Set in any state once the server could not be started. */
  failure: Extract<GuardianReport, { type: "failed" }> | undefined;
  serverVersion: string | undefined;
  readonly lastOutput: string[] = [];
  readonly #process: ChildProcess;
  #serverPid: number | undefined;
  #death: string | undefined;
  #stopping = false;

  constructor(path: string | URL, orders: GuardianOrders) {
    const entry = path instanceof URL ? fileURLToPath(path) : path;
    this.#process = startedChild(
      spawn(process.execPath, [entry, JSON.stringify(orders)], {
        // A session of its own: Ctrl-C and the terminal's end reach the command, not the guardian.
        detached: true,
        cwd: "/",
        stdio: ["ignore", "ignore", "pipe", "ipc"],
      }),
    );
    this.#process.on("message", (message) => this.#onReport(parseReport(message)));
    const output = this.#process.stderr;
    if (output !== null) {
      createInterface({ input: output }).on("line", (line) => {
        // Empty lines and stack traces would push out the line that says what is wrong.
        if (/^\s*(at .*)?$/.test(line)) return;
        this.lastOutput.push(line);
        if (this.lastOutput.length > KEPT_OUTPUT_LINES) this.lastOutput.shift();
      });
    }
    this.exited = this.#waitForExit(orders.folder);
  }

  /** Lets the command end without asking: the guardian then sees the channel's end and stops. */
  holdNobody(): void {
    this.#process.unref();
    this.#process.channel?.unref();
    (this.#process.stderr as Socket | null)?.unref();
  }

  /** May be called in any state, and again. */
  async stop(deadlineMs: number = STOP_DEADLINE_MS): Promise<void> {
    this.#stopping = true;
    this.#process.ref();
    // Should the channel be closed, then the guardian has seen that and is stopping already.
    if (this.#process.connected) this.#process.send(STOP_MESSAGE, () => undefined);
    const deadline = setTimeout(() => this.#process.kill("SIGKILL"), deadlineMs);
    await this.exited;
    clearTimeout(deadline);
  }

  #onReport(report: GuardianReport | undefined): void {
    if (report?.type === "started") {
      this.#serverPid = report.serverPid;
      this.serverVersion = report.version;
    } else if (report?.type === "failed") {
      this.failure = report;
      this.#death = report.reason;
    } else if (report?.type === "server_died") {
      this.#death = report.reason;
    }
  }

  async #waitForExit(folder: string): Promise<ServerExit> {
    const ending = await new Promise<string>((resolve) => {
      this.#process.once("exit", (code, signal) => {
        resolve(`its guardian ${signal === null ? `exited with ${code}` : `got ${signal}`}`);
      });
      this.#process.on("error", (error) => resolve(`no guardian: ${error.message}`));
    });
    // The guardian has done both unless it was killed.
    await killServerOf(folder, this.#serverPid);
    await removeFolder(folder);
    await this.#outputEnded();
    if (this.#stopping) return { expected: true, reason: "it was stopped" };
    return { expected: false, reason: this.#death ?? ending };
  }

  /** The last lines may arrive after the news of the exit. */
  async #outputEnded(): Promise<void> {
    const output = this.#process.stderr;
    if (output === null || output.closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, OUTPUT_DEADLINE_MS);
      output.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/**
 * Tries again until the server answers. Each attempt has a connection of its own: ioredis leaves
 * commands unsettled if it is closed while it waits for its next attempt.
 *
 * @throws if the signal aborts
 */
async function describeWhenReady(path: string, signal: AbortSignal): Promise<RedisDescription> {
  for (;;) {
    const info = await askForInfo(path, signal);
    if (info !== undefined) return describeRedis(info);
    await sleep(RETRY_INTERVAL_MS, undefined, { signal });
  }
}

/** Undefined if nobody listens yet, or the server is still loading. */
async function askForInfo(path: string, signal: AbortSignal): Promise<string | undefined> {
  const redis = new Redis({ path, lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  const attempt = new AbortController();
  try {
    return await Promise.race([
      redis.connect().then(() => redis.info()),
      // Rejects with the caller's signal: a server may accept and then say nothing.
      once(attempt.signal, "abort", { signal }).then(() => undefined),
    ]);
  } catch {
    return undefined;
  } finally {
    attempt.abort();
    redis.disconnect();
  }
}

function withOutput(reason: string, lines: readonly string[]): string {
  return lines.length === 0 ? reason : `${reason}; its last lines: ${lines.join(" | ")}`;
}

import { tmpdir } from "node:os";
import { RankmillError } from "../../core/errors.js";
import { findServerPrograms, type ServerProgram } from "./private-redis-candidates.js";
import { launchServer, type LaunchedServer, type ServerExit } from "./private-redis-launch.js";
import { type RedisDescription, redisWarnings } from "../redis-info.js";

export interface PrivateRedisOptions {
  /**
   * `redis-server`: a `redis-server` or `valkey-server` program only; `js`: js-redis-server only;
   * `auto`: the first of those that works, in this order.
   *
   * @defaultValue "auto"
   */
  readonly kind?: "auto" | "redis-server" | "js";
  /** The compiled `workers/redis-guardian.js`. */
  readonly guardianPath: string | URL;
  /** Folders in which programs are looked for: the value of PATH. */
  readonly searchPath: string;
  readonly onWarning: (line: string) => void;
  /**
   * Folder in which the server's own folder is made; if that path is too long for a socket, in `/tmp`.
   *
   * @defaultValue the system's temporary folder
   */
  readonly tempFolder?: string;
  /**
   * Folder that holds the server's append-only file, and keeps it: the next server goes on from it. One server at a
   * time may use it. js-redis-server, and a redis-server before 7.0, keep nothing.
   *
   * @defaultValue none: what the server held ends with it
   */
  readonly keptFolder?: string;
  /** @defaultValue 60000 */
  readonly startDeadlineMs?: number;
}

/** A Redis of one command's own. It stops with `stop()`, or with the process that started it. */
export interface PrivateRedis {
  readonly connection: { readonly path: string };
  readonly implementation: "redis-server" | "valkey-server" | "js-redis-server";
  readonly version: string;
  /** True if what was written outlives a crash of the server (not the end of the command). */
  readonly durable: boolean;
  /** One line for the user. */
  readonly note: string;
  /** Resolves when the server is gone; `expected` only after `stop()`. Never rejects. */
  readonly exited: Promise<ServerExit>;
  /**
   * Ends server and guardian and removes their folder. May be called again.
   *
   * @param deadlineMs after this both are killed; by default the server has 5 s to end by itself
   */
  stop(deadlineMs?: number): Promise<void>;
}

/** Node alone takes half a second on a busy machine; loading an append-only file is no part of it. */
const START_DEADLINE_MS = 60_000;

const IMPLEMENTATIONS = {
  redis: "redis-server",
  valkey: "valkey-server",
  // Never started here by its own name; it would have been found under this one.
  dragonfly: "redis-server",
  "js-redis-server": "js-redis-server",
} as const satisfies Record<RedisDescription["server"], PrivateRedis["implementation"]>;

const ALTERNATIVES = "set REDIS_URL, or put redis-server or valkey-server on PATH";

/**
 * Starts a private Redis that only this user can reach, through a socket in a folder of its own. A
 * candidate that does not start is told to `onWarning` and the next is tried.
 *
 * @throws RankmillError `missing_dependency` if there is no candidate, or the only one left is
 *   js-redis-server and it is not installed; `redis_unavailable`, with the server's last lines,
 *   if the last candidate does not start
 */
export async function startPrivateRedis(options: PrivateRedisOptions): Promise<PrivateRedis> {
  const kind = options.kind ?? "auto";
  const candidates: (ServerProgram | "js")[] =
    kind === "js" ? [] : await findServerPrograms(options.searchPath, options.onWarning);
  if (kind !== "redis-server") candidates.push("js");

  for (const [index, candidate] of candidates.entries()) {
    const name = candidate === "js" ? "js-redis-server" : candidate.path;
    try {
      const launched = await launchServer({
        server: candidate,
        guardianPath: options.guardianPath,
        tempFolder: options.tempFolder ?? tmpdir(),
        keptFolder: options.keptFolder,
        startDeadlineMs: options.startDeadlineMs ?? START_DEADLINE_MS,
      });
      return present(launched, options.onWarning);
    } catch (error) {
      if (!(error instanceof RankmillError)) throw error;
      if (error.code === "missing_dependency") {
        throw new RankmillError(
          "missing_dependency",
          `no Redis: ${ALTERNATIVES}, or install the npm package js-redis-server`,
          { cause: error },
        );
      }
      const message = `${name} could not be started: ${error.message}`;
      if (index === candidates.length - 1) {
        throw new RankmillError(error.code, `${message}. Or ${ALTERNATIVES}`, { cause: error });
      }
      options.onWarning(message);
    }
  }
  throw new RankmillError("missing_dependency", `no Redis: ${ALTERNATIVES}`);
}

function present(launched: LaunchedServer, onWarning: (line: string) => void): PrivateRedis {
  const { description, version, place, exited } = launched;
  for (const { message } of redisWarnings(description)) onWarning(message);
  const implementation = IMPLEMENTATIONS[description.server];
  return {
    connection: { path: place.socketPath },
    implementation,
    version,
    durable: description.aofEnabled,
    note:
      implementation === "js-redis-server"
        ? `Redis: js-redis-server ${version} for this command alone: slow (some hundred jobs/s), in memory and not durable; to be faster, ${ALTERNATIVES}`
        : `Redis: ${implementation} ${version} for this command, in ${place.folder}`,
    exited,
    stop: (deadlineMs) => launched.stop(deadlineMs),
  };
}

/** A Redis of one process's own that goes on from its state when it is started again. */
import { mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RedisClient } from "../redis/redis-client.js";
import type { Logger } from "pino";
import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import { tryStored } from "../core/stored-json.js";
import { option, wording } from "../core/wording.js";
import type { Closers } from "../platform/closers.js";
import { exists } from "../platform/files.js";
import { lockOutput, type Refuse } from "../outputs/output-lock.js";
import { REDIS_GUARDIAN_ENTRY } from "../platform/process-entries.js";
import { connectRedis } from "../redis/connection.js";
import { startPrivateRedis, type PrivateRedis } from "../redis/private-server/private-redis.js";

export interface KeptRedisOptions {
  /** Holds the append-only file; made if it is missing. */
  readonly folder: string;
  /** The value of PATH. */
  readonly searchPath: string;
  readonly logger: Logger;
}

export interface KeptRedis {
  readonly redis: RedisClient;
  /** Resolves with the reason if the server ends before it is stopped. */
  readonly failed: Promise<RankmillError>;
}

/** The server that works in the folder, or did when its process was killed. */
const userSchema = z.object({ serverFolder: z.string() });

const LOCK_FILE = "lock";
const USER_FILE = "in-use.json";
const FORMER_SERVER_POLL_MS = 50;
/** A server writes its last bytes in milliseconds; a folder that stays was left by a machine that went down. */
const FORMER_SERVER_DEADLINE_MS = 10_000;

/**
 * @throws RankmillError `place_unusable` if another process works in the folder; `missing_dependency` or
 *   `redis_unavailable` if no server starts
 */
export async function openKeptRedis(
  { folder: named, searchPath, logger }: KeptRedisOptions,
  closers: Closers,
): Promise<KeptRedis> {
  await mkdir(join(named, "redis"), { recursive: true, mode: 0o700 });
  const folder = await realpath(named);
  const unlock = await lockOutput(join(folder, LOCK_FILE), refusalOf(folder));
  // Closed last: who finds no lock may start a server at once.
  closers.use("state folder", unlock, (one) => one());
  const userFile = join(folder, USER_FILE);
  await untilFormerServerIsGone(userFile);
  closers.use("note of the private Redis", userFile, (one) => rm(one, { force: true }));
  const server = await startPrivateRedis({
    guardianPath: REDIS_GUARDIAN_ENTRY,
    searchPath,
    keptFolder: join(folder, "redis"),
    onWarning: (message) => logger.warn(message),
  });
  closers.use("private Redis", server, (one) => one.stop());
  const user = { serverFolder: dirname(server.connection.path) };
  await writeFile(userFile, JSON.stringify(user), { mode: 0o600 });
  tellWhatIsKept(server, folder, logger);
  const redis = await connectRedis(server.connection, (error) =>
    logger.warn({ err: error }, "redis connection"),
  );
  closers.use("Redis connection", redis, (one) => one.disconnect());
  return { redis, failed: failureOf(server) };
}

function refusalOf(folder: string): Refuse {
  return ({ pid, host }, lock) => {
    const holder = host === hostname() ? `process ${pid}` : `process ${pid} of ${host}`;
    const message = wording`${option("stateDir")}: ${holder} works in ${folder}: end it, or name another folder; if it is gone for good, delete ${lock}`;
    return new RankmillError("place_unusable", message, { field: "stateDir", place: folder });
  };
}

/** A process that was killed has left a server that is about to end, and removes its own folder last. */
async function untilFormerServerIsGone(userFile: string): Promise<void> {
  const text = await readFile(userFile, "utf8").catch(() => undefined);
  const user = tryStored(userSchema, text);
  if (user === undefined) return;
  const deadline = Date.now() + FORMER_SERVER_DEADLINE_MS;
  while ((await exists(user.serverFolder)) && Date.now() < deadline)
    await sleep(FORMER_SERVER_POLL_MS);
}

function tellWhatIsKept(server: PrivateRedis, folder: string, logger: Logger): void {
  const [major = 0] = server.version.split(".").map(Number);
  const { implementation, version } = server;
  if (implementation === "js-redis-server" || major < 7)
    logger.warn(
      `${implementation} ${version} keeps nothing: jobs, results and keys end with this process; put redis-server 7 or later, or valkey-server, on PATH`,
    );
  else logger.info({ folder }, `${implementation} ${version} keeps jobs, results and keys`);
}

async function failureOf(server: PrivateRedis): Promise<RankmillError> {
  const { expected, reason } = await server.exited;
  if (expected) return await new Promise(() => {});
  return new RankmillError("redis_unavailable", `the private Redis ended: ${reason}`);
}

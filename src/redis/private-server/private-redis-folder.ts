import {
  chmod,
  mkdtemp,
  readdir,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describeError, RankmillError } from "../../core/errors.js";
import { errnoOf } from "../../platform/file-system-errors.js";

/** A private server's own folder: its socket, its configuration, its append-only file. */
export interface PrivateFolder {
  /** Absolute, without symbolic links: as the kernel names it in `/proc/PID/cwd`. */
  readonly folder: string;
  readonly socketPath: string;
}

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, the closing NUL included. */
const MAX_SOCKET_PATH_BYTES = 103;
/** Redis' own name, from 7.0 on, of the folder that holds its append-only file. */
const APPEND_ONLY_FOLDER = "appendonlydir";
/** Folder to use if the usual temporary folder is too deep for a socket. */
const SHORT_TEMP_FOLDER = "/tmp";

/**
 * Makes a folder that only this user may enter (mode 0700), short enough for a socket in it.
 *
 * @param keptFolder holds the append-only file after the private folder is removed, which takes the link alone
 * @throws RankmillError `redis_unavailable` if no folder can be made
 */
export async function makePrivateFolder(
  tempFolder: string,
  keptFolder?: string,
): Promise<PrivateFolder> {
  let cause: unknown;
  for (const base of new Set([tempFolder, SHORT_TEMP_FOLDER])) {
    try {
      const folder = await mkdtemp(join(await realpath(base), "rankmill-redis-"));
      const socketPath = join(folder, "redis.sock");
      if (Buffer.byteLength(socketPath) <= MAX_SOCKET_PATH_BYTES) {
        await chmod(folder, 0o700);
        if (keptFolder !== undefined) await symlink(keptFolder, join(folder, APPEND_ONLY_FOLDER));
        return { folder, socketPath };
      }
      await rm(folder, { recursive: true });
    } catch (error) {
      cause = error;
    }
  }
  throw new RankmillError(
    "redis_unavailable",
    `no folder for a private Redis could be made in ${tempFolder} or ${SHORT_TEMP_FOLDER}`,
    { cause },
  );
}

/** Writes the configuration of a `redis-server` or `valkey-server` and returns its path. */
export async function writeServerConfig(place: PrivateFolder): Promise<string> {
  const lines = [
    // Reachable through the folder alone, which no other user may enter.
    "port 0",
    `unixsocket ${quote(place.socketPath)}`,
    "unixsocketperm 700",
    "protected-mode yes",
    `dir ${quote(place.folder)}`,
    "daemonize no",
    "supervised no",
    // The append-only file holds everything; snapshots beside it would only write it twice.
    'save ""',
    "appendonly yes",
    "appendfsync everysec",
    // BullMQ's demand: an evicted key is a lost job.
    "maxmemory-policy noeviction",
    // The log goes to standard output, which ends up in the error that tells why it did not start.
    'logfile ""',
    "loglevel warning",
  ];
  const path = join(place.folder, "redis.conf");
  try {
    await writeFile(path, `${lines.join("\n")}\n`, { mode: 0o600 });
  } catch (error) {
    const why = errnoOf(error) === "ENOSPC" ? "the disk is full" : describeError(error).message;
    throw new RankmillError("redis_unavailable", `${place.folder} cannot be written: ${why}`, {
      place: place.folder,
      cause: error,
    });
  }
  return path;
}

export async function removeFolder(folder: string): Promise<void> {
  // A server that is just dying may still create a file: try again instead of leaving the folder.
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/**
 * Kills (SIGKILL) a server that has lost its guardian. Process ids are used again by the kernel, so
 * if there is a `/proc` the server must also have its own folder as working directory.
 *
 * @param serverPid undefined if the guardian died before it could say: then whatever works in
 *   the folder, which is some milliseconds old, is the server
 */
export async function killServerOf(folder: string, serverPid: number | undefined): Promise<void> {
  const inFolder = await processesIn(folder);
  const pids = inFolder ?? (serverPid === undefined ? [] : [serverPid]);
  for (const pid of pids) {
    // A user who looks into the folder with a shell is left alone.
    if (serverPid !== undefined && pid !== serverPid) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Already gone.
    }
  }
}

/** Undefined if the system has no `/proc`. */
async function processesIn(folder: string): Promise<number[] | undefined> {
  let entries: string[];
  try {
    await readlink("/proc/self/cwd");
    entries = await readdir("/proc");
  } catch {
    return undefined;
  }
  const pids = entries.filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // Fails for other users' processes and for those that have just ended.
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
      return cwd === folder ? Number(pid) : undefined;
    }),
  );
  return found.filter((pid) => pid !== undefined);
}

/** Redis reads a quoted string with backslash escapes. */
function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

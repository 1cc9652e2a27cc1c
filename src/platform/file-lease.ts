import { randomUUID } from "node:crypto";
import { link, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf } from "./file-system-errors.js";

/** The interval at which a holder shows that it is alive. */
const HEARTBEAT_MS = 5_000;
/** A lease without a sign of life for this long was left by a dead process. */
const STALE_MS = 60_000;
const POLL_MS = 250;

export interface FileLeaseOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once where another process holds the lease. */
  readonly onWait?: (() => void) | undefined;
  /** Default 60,000. */
  readonly staleMs?: number | undefined;
}

/**
 * Runs `work` while no other process does so under the same path: a file that only one can create.
 * Works across containers that share a folder, where process ids mean nothing; a holder that dies is
 * noticed by its silence.
 *
 * States of a lease: free (no file) → held (file, its time renewed every 5 s) → free, or, if the
 * holder died, stale (time older than `staleMs`) → free, by whoever comes first.
 */
export async function withFileLease<Result>(
  path: string,
  options: FileLeaseOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  const token = randomUUID();
  let waited = false;
  while (!(await take(path, token))) {
    if (!waited) options.onWait?.();
    waited = true;
    if (!(await breakStale(path, options.staleMs ?? STALE_MS))) {
      await sleep(POLL_MS, undefined, { signal: options.signal });
    }
    options.signal?.throwIfAborted();
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await release(path, token);
  }
}

async function take(path: string, token: string): Promise<boolean> {
  try {
    const handle = await open(path, "wx");
    try {
      await handle.writeFile(token);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Only its own: a lease that was taken for stale and broken belongs to someone else by now. */
async function release(path: string, token: string): Promise<void> {
  if ((await readToken(path)) === token) await rm(path, { force: true });
}

/** @returns true if the lease is gone and may be tried for at once */
async function breakStale(path: string, staleMs: number): Promise<boolean> {
  const seen = await readToken(path);
  if (seen === undefined) return true;
  if (!(await isStale(path, staleMs))) return false;
  const aside = `${path}.${randomUUID()}`;
  try {
    // One of several that find it stale wins the rename; the others find nothing.
    await rename(path, aside);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return true;
    throw error;
  }
  // Before the rename another may have broken it and taken it afresh: give it back.
  if ((await readToken(aside)) !== seen) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
  return true;
}

async function isStale(path: string, staleMs: number): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > staleMs;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

async function readToken(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

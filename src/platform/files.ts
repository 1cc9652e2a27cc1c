import { mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "./file-system-errors.js";

/** True for whatever lies at the path, of any kind; a link is followed. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** True for a file with at least one byte. */
export async function hasContent(path: string): Promise<boolean> {
  return ((await stat(path).catch(() => undefined))?.size ?? 0) > 0;
}

/** Makes what was written to a file or folder survive a power cut. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes a rename inside `folder` survive a power cut. Best effort: some file systems refuse to sync a
 * folder, and the files themselves are already on disk.
 */
export async function syncFolder(folder: string): Promise<void> {
  await syncPath(folder).catch(() => undefined);
}

/**
 * Makes a folder and those above it. Node's own `recursive` never ends below a folder that exists and
 * takes no new one, such as /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (error) {
    const above = dirname(path);
    if (errnoOf(error) !== "ENOENT" || above === path) throw error;
    // Another may have made it meanwhile; if it takes none, the next try says so.
    if (!(await exists(above))) await makeFolder(above);
    await makeOne(path);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const isThere = (await stat(path).catch(() => undefined))?.isDirectory() === true;
    if (!isThere) throw error;
  }
}

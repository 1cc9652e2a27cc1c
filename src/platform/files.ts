import { open, stat } from "node:fs/promises";

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

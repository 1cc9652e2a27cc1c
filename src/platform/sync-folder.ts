import { open } from "node:fs/promises";

/**
 * Makes a rename inside `folder` survive a power cut. Best effort: some file systems refuse to sync a
 * folder, and the files themselves are already on disk.
 */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // A caller could do nothing about it.
  }
}

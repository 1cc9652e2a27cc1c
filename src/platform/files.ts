import { stat } from "node:fs/promises";

/** True for whatever lies at the path, of any kind; a link is followed. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** True for a file with at least one byte. */
export async function hasContent(path: string): Promise<boolean> {
  return ((await stat(path).catch(() => undefined))?.size ?? 0) > 0;
}

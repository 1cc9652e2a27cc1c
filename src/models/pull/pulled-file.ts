import { createReadStream } from "node:fs";
import { stat, statfs } from "node:fs/promises";
import { ContentHash } from "../../platform/content-hash.js";
import type { ContentHashes } from "../../platform/content-hash.js";
import { asWriteError, type WritePlace } from "../../platform/file-system-errors.js";
import type { WantedFile } from "./pull-plan.js";

/** The file if it is there and what it should be; a file of which nothing is known is fetched. */
export async function presentFile(
  target: string,
  wanted: WantedFile,
): Promise<{ bytes: number; sha256: string } | undefined> {
  if (wanted.sha256 === undefined && wanted.gitBlobId === undefined) return undefined;
  const bytes = await sizeOf(target);
  if (bytes === 0 || (wanted.bytes !== undefined && wanted.bytes !== bytes)) return undefined;
  const found = new ContentHash(bytes);
  for await (const chunk of createReadStream(target)) found.take(chunk as Buffer);
  const result = found.result();
  return whyWrong(wanted, result) === undefined ? result : undefined;
}

/** @returns what is wrong with what arrived; undefined if nothing known speaks against it */
export function whyWrong(wanted: WantedFile, result: ContentHashes): string | undefined {
  if (wanted.sha256 !== undefined) {
    return wanted.sha256 === result.sha256
      ? undefined
      : `sha256 ${result.sha256}, expected ${wanted.sha256}`;
  }
  if (wanted.gitBlobId !== undefined && result.gitBlobId !== undefined) {
    return wanted.gitBlobId === result.gitBlobId
      ? undefined
      : `git blob ${result.gitBlobId}, expected ${wanted.gitBlobId}`;
  }
  if (wanted.bytes !== undefined && wanted.bytes !== result.bytes) {
    return `${result.bytes} bytes, expected ${wanted.bytes}`;
  }
  return undefined;
}

/** Said before two gigabytes are on their way, if the sizes are known. */
export async function checkSpace(
  folder: string,
  wanted: WantedFile,
  partialPath: string,
  place?: WritePlace,
): Promise<void> {
  if (wanted.bytes === undefined) return;
  const missing = wanted.bytes - (await sizeOf(partialPath));
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= missing) return;
  const full = Object.assign(new Error("disk full"), { code: "ENOSPC" });
  throw asWriteError(full, partialPath, missing, place);
}

/** 0 if there is no such file. */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

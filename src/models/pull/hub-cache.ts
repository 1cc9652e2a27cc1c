import { constants } from "node:fs";
import { copyFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "../digest.js";
import { asWriteError, errnoOf } from "../../platform/file-system-errors.js";
import type { WantedFile } from "./pull-plan.js";

/**
 * Takes a file from the cache that other Hugging Face tools keep (`$HF_HOME/hub`), if it holds
 * these very bytes. Copied, not linked: see `model-cache.ts`; on file systems that can, the copy
 * shares its blocks.
 *
 * @returns false if the cache has nothing, or something else
 */
export async function copyFromHubCache(
  hubCacheDir: string,
  repository: string,
  commit: string,
  file: WantedFile,
  targetPath: string,
): Promise<boolean> {
  if (file.sha256 === undefined) return false;
  const folder = `models--${repository.replaceAll("/", "--")}`;
  const cached = join(hubCacheDir, folder, "snapshots", commit, ...file.path.split("/"));
  try {
    if (!(await stat(cached)).isFile()) return false;
    if ((await hashFile(cached)) !== file.sha256) return false;
  } catch {
    return false;
  }
  try {
    await copyFile(cached, targetPath, constants.COPYFILE_FICLONE);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw asWriteError(error, targetPath, file.bytes);
  }
}

import { statfs } from "node:fs/promises";
import { describeError, RankmillError } from "../../core/errors.js";
import { errnoOf } from "../../platform/file-system-errors.js";

/** A disk with less free space than this after a failure is what failed. */
const FULL_DISK_BYTES = 8 * 1024 * 1024;
const NOT_WRITABLE: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOTDIR",
  "EEXIST",
]);

export interface FailedPlace {
  readonly onnxPath: string;
  readonly cacheDir: string;
  readonly modelBytes?: number;
}

/** The prepared model is at least as large as the original: what cannot fit is not begun. */
export async function requireSpace(dir: string, modelBytes: number): Promise<void> {
  if ((await freeBytes(dir)) < modelBytes) {
    throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
  }
}

/** The reason why a model could not be prepared, as one line that says what to do. */
export async function explainFailure(error: unknown, place: FailedPlace): Promise<RankmillError> {
  const { cacheDir, onnxPath, modelBytes } = place;
  const failed = (reason: string): RankmillError =>
    new RankmillError("prepare_failed", `cannot prepare ${onnxPath}: ${reason}`, { cause: error });
  const code = errnoOf(error) ?? "";
  if (NOT_WRITABLE.has(code)) {
    return failed(
      `${cacheDir} may not be written (${code}): choose a folder for prepared models that this user may write to`,
    );
  }
  const free = await freeBytes(cacheDir);
  // The runtime only says that it could not write; the disk says why.
  if (code === "ENOSPC" || code === "EDQUOT" || free < FULL_DISK_BYTES) {
    // Weights lie in the file as they were and in the layout of the kernels.
    const needed = modelBytes === undefined ? "some space" : `${megabytes(2 * modelBytes)} MB`;
    return failed(
      `the disk is full: free ${needed} at ${cacheDir} or choose another folder for prepared models`,
    );
  }
  return failed(describeError(error).message);
}

async function freeBytes(dir: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}

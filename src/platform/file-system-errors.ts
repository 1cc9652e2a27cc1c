import { RankmillError } from "../core/errors.js";
import { isNoMoreFiles, noMoreFiles } from "./no-more-files.js";

/** Codes of the system and of Node: EACCES, ERR_MODULE_NOT_FOUND. */
const SYSTEM_CODE = /^E[A-Z0-9_]+$/;

/** The code under which the system or Node refused something; undefined for other errors, whose codes mean other things. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  const { code } = error;
  return typeof code === "string" && SYSTEM_CODE.test(code) ? code : undefined;
}

/**
 * Turns what the file system refused while a model was read into one line that says what to do. A limit of open
 * files is no fault of the model. Its message says all: a thread tells it by that alone.
 */
export function asModelReadError(error: unknown, path: string): unknown {
  if (error instanceof RankmillError) return error;
  if (isNoMoreFiles(error)) return noMoreFiles("open");
  const code = errnoOf(error) ?? String(error);
  const problem = (errorCode: "model_not_found" | "model_unusable", text: string): RankmillError =>
    new RankmillError(errorCode, `${path} ${text}`, { cause: error });
  switch (code) {
    case "EACCES":
    case "EPERM":
      return problem(
        "model_unusable",
        `may not be read (${code}): give the user that runs rankmill read access to the model folder`,
      );
    case "ENOENT":
      return problem("model_not_found", "does not exist: check the path");
    case "ENOTDIR":
      return problem(
        "model_unusable",
        "is not a folder: give the folder that holds the ONNX file and tokenizer.json",
      );
    default:
      return problem("model_unusable", `cannot be read (${code}): check the disk and the path`);
  }
}

/** The name of the folder in which files are written, and how to go on there. */
export interface WritePlace {
  readonly folder: string;
  readonly again: string;
}

const MODELS: WritePlace = { folder: "models folder", again: "pull again" };

/**
 * Turns what the file system refused while files were written below the models folder, or `place`, into one line
 * that says what to do; anything else comes back as it is.
 *
 * @param bytes the size of the write, if known
 */
export function asWriteError(
  error: unknown,
  path: string,
  bytes?: number,
  { folder, again }: WritePlace = MODELS,
): unknown {
  const code = errnoOf(error) ?? "";
  const failed = (text: string): RankmillError =>
    new RankmillError("download_failed", `${path} ${text}`, { cause: error });
  switch (code) {
    case "ENOSPC":
    case "EDQUOT": {
      const needed = bytes === undefined ? "some space" : `${Math.ceil(bytes / 1e6)} MB`;
      return failed(
        `cannot be written, the disk is full: free ${needed} or choose another ${folder}, then ${again}, it goes on from where it stopped`,
      );
    }
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return failed(
        `may not be written (${code}): choose another ${folder}, one that this user may write to`,
      );
    case "ENOTDIR":
    case "EISDIR":
    case "EEXIST":
      return failed(`is in the way (${code}): choose another ${folder}`);
    default:
      return error;
  }
}

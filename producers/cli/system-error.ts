import { RankmillError } from "../../src/core/errors.js";

/** A refusal of the operating system, as Node throws it. */
type SystemError = Error & {
  readonly code: string;
  readonly syscall?: string;
  readonly path?: string;
};

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: free some space, and run the same command again",
  EDQUOT: "the disk quota is used up: free some space, and run the same command again",
  EMFILE: "this process may open no more files: raise the limit (ulimit -n 1024)",
  ENFILE: "the system may open no more files: raise its limit (sysctl fs.file-max)",
  ENOMEM: "there is no memory left: close other programs, or give a smaller memory limit",
  EIO: "the disk gives an error: check it",
  ESTALE: "the network file system lost the file: mount it again",
  EROFS: "the file system is read-only: choose another place",
  EACCES: "this user may not do that: change the rights, or choose another place",
  EPERM: "this user may not do that: change the rights, or choose another place",
  ENOENT: "was moved or deleted while it was in use: put it back, or start over",
  ENOTDIR: "a part of the path is no folder: choose another place",
  EISDIR: "is a folder: choose another place",
};

/** A refusal of the operating system as one line that says what to do; any other error as it is. */
export function asSystemError(error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const advice = ADVICE[error.code];
  if (advice === undefined) return error;
  const { code, syscall = "", path } = error;
  const action = [code, syscall].filter(Boolean).join(", ");
  const message = `${path === undefined ? "" : `${path}: `}${advice} (${action})`;
  return new RankmillError("internal", message, { cause: error, place: path });
}

function isSystemError(error: unknown): error is SystemError {
  return (
    error instanceof Error &&
    !(error instanceof RankmillError) &&
    "code" in error &&
    typeof error.code === "string" &&
    "syscall" in error
  );
}

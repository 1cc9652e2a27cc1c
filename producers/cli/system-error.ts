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
  ENAMETOOLONG: "the name is too long, with those of the files beside it: choose a shorter one",
  EFBIG:
    "the file has reached the size that this process or the file system allows: raise the limit (ulimit -f unlimited), or choose another place",
  ELOOP: "is a link that leads to itself: choose another place",
};

/** A refusal of the operating system as one line that says what to do; any other error as it is. */
export function asSystemError(error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const advice = ADVICE[error.code] ?? wordsOfSystem(error);
  if (advice === undefined) return error;
  const { code, syscall = "", path } = error;
  const action = [code, syscall].filter(Boolean).join(", ");
  const message = `${path === undefined ? "" : `${path}: `}${advice} (${action})`;
  return new RankmillError("internal", message, { cause: error, place: path });
}

/** The system's own words for a refusal that has none of ours: a place of the code says nothing to a user. */
function wordsOfSystem({ code, message }: SystemError): string | undefined {
  const words = /^(E[A-Z0-9]+): ([^,]+)/.exec(message);
  return words?.[1] === code && words[2] !== undefined ? `the system says: ${words[2]}` : undefined;
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

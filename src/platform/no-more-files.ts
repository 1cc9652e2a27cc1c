/** The limit of open files, where Node doesn't say it as it says other refusals of the system. */
import type { ChildProcess } from "node:child_process";

/**
 * A child as `spawn` or `fork` gave it. Where no more files may be opened they give one without streams and without
 * a channel, whose use fails before its error is told.
 *
 * @throws Error with the code `EMFILE`
 */
export function startedChild<Child extends ChildProcess>(child: Child): Child {
  const { stdio }: { readonly stdio?: ChildProcess["stdio"] } = child;
  if (stdio !== undefined) return child;
  child.on("error", () => undefined);
  throw noMoreFiles("spawn");
}

/** The refusal as Node throws it. */
export function noMoreFiles(syscall: string): Error {
  // A lane's death is told by the message alone.
  const message = `this process may open no more files: raise the limit (ulimit -n 1024)`;
  return Object.assign(new Error(message), { code: "EMFILE", syscall });
}

/** A module or a thread that cannot be loaded tells it in its message alone. */
export function isNoMoreFiles(error: unknown): boolean {
  return error instanceof Error && /EMFILE|ENFILE|too many open files/.test(error.message);
}

/** The conduct of processes that a worker starts for native work, towards it and its host. */
import { writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import process from "node:process";
import { Worker } from "node:worker_threads";

/** Below the worker, whose event loop renews locks. */
const CHILD_NICENESS = 10;
/** Far above any worker's: the kernel takes a child first. Raising one's own needs no privilege. */
const CHILD_OOM_SCORE_ADJ = 900;
const PARENT_CHECK_MS = 200;

export function lowerPriority(): void {
  try {
    setPriority(0, CHILD_NICENESS);
  } catch {
    // A host that forbids it: the child works all the same.
  }
  try {
    writeFileSync("/proc/self/oom_score_adj", String(CHILD_OOM_SCORE_ADJ));
  } catch {
    // This is not Linux, or /proc is hidden.
  }
}

/** A blocked main thread cannot see the IPC channel close; this thread sees the new parent. */
export function dieWithParent(parentPid: number): void {
  const source = `
    const check = () => { if (process.ppid !== ${parentPid}) process.kill(process.pid, "SIGKILL"); };
    check();
    setInterval(check, ${PARENT_CHECK_MS});
  `;
  new Worker(source, { eval: true, stdout: false, env: {} }).unref();
}

/**
 * Signals are the parent's business: a Ctrl-C on the terminal reaches the child too and must not end
 * it before the parent is done with it. The end of the IPC channel is the parent's end.
 */
export function followParent(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
}

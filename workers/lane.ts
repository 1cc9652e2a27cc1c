/**
 * A lane: one process that runs the model and nothing else. Its parent is a worker; they speak
 * lane-protocol.ts over IPC. Standard output stays untouched.
 *
 * The native call blocks this thread for as long as a batch takes, so the parent's death is watched
 * from a thread of its own, and signals are the parent's business: a Ctrl-C on the terminal reaches
 * this process too and must not end it before the drain is done.
 */
import { writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import process from "node:process";
import { Worker } from "node:worker_threads";
import type { FromLane, ToLane } from "../src/inference/lane-protocol.js";
import { ModelSession } from "../src/inference/model-session.js";
import { describeError } from "../src/core/errors.js";

/** Below the worker, whose event loop renews locks. */
const LANE_NICENESS = 10;
/** Far above any worker's: the kernel takes a lane first. Raising one's own needs no privilege. */
const LANE_OOM_SCORE_ADJ = 900;
const PARENT_CHECK_MS = 200;

function send(message: FromLane): void {
  process.send?.(message);
}

function lowerPriority(): void {
  try {
    setPriority(0, LANE_NICENESS);
  } catch {
    // A host that forbids it: the lane works all the same.
  }
  try {
    writeFileSync("/proc/self/oom_score_adj", String(LANE_OOM_SCORE_ADJ));
  } catch {
    // Not Linux, or /proc is hidden.
  }
}

/** A blocked main thread cannot see the IPC channel close; this thread sees the new parent. */
function dieWithParent(parentPid: number): void {
  const source = `
    const check = () => { if (process.ppid !== ${parentPid}) process.kill(process.pid, "SIGKILL"); };
    check();
    setInterval(check, ${PARENT_CHECK_MS});
  `;
  new Worker(source, { eval: true, stdout: false, env: {} }).unref();
}

let session: ModelSession | undefined;

async function open(message: Extract<ToLane, { type: "open" }>): Promise<void> {
  dieWithParent(message.parentPid);
  const started = performance.now();
  try {
    session = await ModelSession.open(message.model);
    // The first run of a session allocates and can fail where loading did not: fail here, not on
    // a user's pair. Two rows of different length, as a batch has them.
    const ids = [Int32Array.of(0, 0, 0), Int32Array.of(0, 0)];
    await session.run({ ids, secondStarts: [1, 1] });
    send({ type: "ready", openMs: performance.now() - started });
  } catch (error) {
    send({ type: "unusable", ...describeError(error) });
  }
}

async function run(message: Extract<ToLane, { type: "run" }>): Promise<void> {
  const { seq } = message;
  const started = performance.now();
  try {
    if (session === undefined) throw new Error("no model is open");
    const logits: Float32Array[] = [];
    for (const input of message.runs) logits.push(await session.run(input));
    const runMs = performance.now() - started;
    send({ type: "done", seq, logits, runMs, residentBytes: process.memoryUsage.rss() });
  } catch (error) {
    send({ type: "failed", seq, message: describeError(error).message });
  }
}

process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("SIGHUP", () => {});
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.on("message", (message: ToLane) => {
  void (message.type === "open" ? open(message) : run(message));
});
lowerPriority();

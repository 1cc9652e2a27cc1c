import type { ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";
import { forkProgram, nextMessage, stopChild } from "./child-way.js";
import type { BenchJob, OpenWay, Scored, WayOptions } from "./way.js";
import type { FromBound, ToBound } from "./ways/bound.js";

/** Pairs told to a process at once: for the fastest model a message per pair would be felt. */
const CHUNK_SHARE = 1 / 200;
const MAX_CHUNK = 4;
/** Chunks that a process has in hand: one runs, one waits. */
const CHUNKS_IN_HAND = 2;

/** Opens the bound: as many of ways/bound.ts as there are cores. */
export async function openBoundWay(options: WayOptions): Promise<OpenWay> {
  const children = Array.from({ length: availableParallelism() }, () =>
    forkProgram("ways/bound.ts"),
  );
  for (const child of children) {
    await tell(child, { type: "open", onnxPath: options.onnxPath });
  }
  return {
    score: async (jobs) => {
      const pairs = jobs.flatMap((job) => job.pairs);
      for (const child of children) await tell(child, { type: "load", pairs });
      return await dispatch(children, jobs);
    },
    close: async () => {
      await Promise.all(children.map(stopChild));
    },
  };
}

async function tell(child: ChildProcess, message: ToBound): Promise<void> {
  child.send(message);
  await nextMessage<FromBound>(child);
}

/** Hands all pairs out, longest first, so that the processes end together. */
async function dispatch(
  children: readonly ChildProcess[],
  jobs: readonly BenchJob[],
): Promise<Scored> {
  const pairs = jobs.flatMap((job) => job.pairs);
  const order = pairs
    .map((_, index) => index)
    .sort((a, b) => (pairs[b]?.ids.length ?? 0) - (pairs[a]?.ids.length ?? 0));
  const chunk = Math.max(1, Math.min(MAX_CHUNK, Math.floor(pairs.length * CHUNK_SHARE)));
  const logits = pairs.map(() => Number.NaN);
  let remaining = pairs.length;
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    for (const child of children) {
      const feed = (): void => {
        const indices = order.splice(0, chunk);
        if (indices.length > 0) child.send({ type: "run", indices } satisfies ToBound);
      };
      const onMessage = (message: FromBound): void => {
        if (message.type !== "done") return;
        feed();
        message.indices.forEach((index, i) => (logits[index] = message.logits[i] ?? Number.NaN));
        remaining -= message.indices.length;
        if (remaining > 0) return;
        for (const other of children) other.removeAllListeners("message");
        resolve();
      };
      child.on("message", onMessage);
      child.once("exit", () => reject(new Error("a process of the bound ended")));
      for (let i = 0; i < CHUNKS_IN_HAND; i += 1) feed();
    }
  });
  const seconds = (performance.now() - started) / 1000;
  let at = 0;
  return { seconds, logits: jobs.map((job) => logits.slice(at, (at += job.pairs.length))) };
}

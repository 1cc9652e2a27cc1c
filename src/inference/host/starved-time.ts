import { readdirSync, readFileSync } from "node:fs";

const NS_PER_MS = 1e6;

/**
 * Time that each thread of a process has been ready to run and had no processor, so far: other work on the
 * machine, or a container over its share.
 *
 * @returns milliseconds by thread; nothing if the system does not say, or the process is gone
 */
export function readStarvedMs(pid: number): ReadonlyMap<string, number> {
  const threads = new Map<string, number>();
  try {
    const folder = `/proc/${pid}/task`;
    for (const thread of readdirSync(folder)) {
      // Nanoseconds on a processor, nanoseconds of waiting for one, turns.
      const [, waitedNs] = readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ");
      const ms = Number(waitedNs) / NS_PER_MS;
      if (!Number.isNaN(ms)) threads.set(thread, ms);
    }
  } catch {
    // Another system, or a thread that has just ended.
  }
  return threads;
}

/** The longest that one thread was starved between two readings: a batch is done when its last thread is. */
export function starvedBetween(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): number {
  let longest = 0;
  for (const [thread, ms] of after) longest = Math.max(longest, ms - (before.get(thread) ?? 0));
  return longest;
}

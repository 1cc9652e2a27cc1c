/** The rankings of a run as they come: each once, until the run is over. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunStatus } from "../../runs/run-status.js";

/** Reads the rankings that it has not given before; a reader of one run, and one round at a time. */
export type FreshRankings = () => AsyncIterable<string>;

export interface FollowOptions {
  readonly status: () => Promise<RunStatus>;
  readonly fresh: FreshRankings;
  /** Milliseconds between two rounds. */
  readonly pollMs: number;
  /** Ends the pause between two rounds. */
  readonly signal: AbortSignal | undefined;
}

/** Looking for rankings takes at most a fifth of the time: of a run in a spool each round reads all there are. */
const PAUSE_PER_READING = 4;

/** @returns output lines, JSON without newline, in the order of arrival */
export async function* followRankings(
  options: FollowOptions,
): AsyncGenerator<string, void, undefined> {
  const { status, fresh, pollMs, signal } = options;
  let knownDone = -1;
  for (;;) {
    // Asked first: whatever is done by then is found afterwards.
    const { over, counts } = await status();
    let readingMs = 0;
    if (over || counts.done !== knownDone) {
      const lines = fresh()[Symbol.asyncIterator]();
      for (;;) {
        const startMs = performance.now();
        const next = await lines.next();
        readingMs += performance.now() - startMs;
        if (next.done === true) break;
        yield next.value;
      }
    }
    if (over) return;
    knownDone = counts.done;
    await sleep(Math.max(pollMs, PAUSE_PER_READING * readingMs), undefined, { signal });
  }
}

/** Parts of pages as server-sent events: what has changed since the last round, as HTML by the id of its place. */
import { setTimeout as sleep } from "node:timers/promises";

/** The parts of a page at one moment. */
export interface LiveParts {
  readonly parts: readonly (readonly [id: string, html: string])[];
  /** Whether nothing will change any more. */
  readonly isOver: boolean;
}

export interface LiveOptions {
  /** Makes the parts anew; undefined: what they show is gone. */
  readonly take: () => Promise<LiveParts | undefined>;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** A connection that is silent for longer is closed by proxies. */
const QUIET_MS = 15_000;

/** Lines of a stream of events. Ends when all is over, or the signal aborts; a round that fails is left out. */
export async function* liveEvents(options: LiveOptions): AsyncGenerator<string, void, undefined> {
  const { take, intervalMs, signal } = options;
  const told = new Map<string, string>();
  let saidAtMs = performance.now();
  while (!signal.aborted) {
    // An outage of Redis: the next round asks again.
    const taken = await take().catch((): "failed" => "failed");
    if (taken === undefined) break;
    if (taken !== "failed") {
      const changed = taken.parts.filter(([id, html]) => told.get(id) !== html);
      for (const [id, html] of changed) told.set(id, html);
      if (changed.length > 0) {
        saidAtMs = performance.now();
        yield `event: parts\ndata: ${JSON.stringify(Object.fromEntries(changed))}\n\n`;
      }
      if (taken.isOver) break;
    }
    if (performance.now() - saidAtMs > QUIET_MS) {
      saidAtMs = performance.now();
      yield ": nothing new\n\n";
    }
    await sleep(intervalMs, undefined, { signal }).catch(() => {});
  }
  if (!signal.aborted) yield "event: end\ndata: {}\n\n";
}

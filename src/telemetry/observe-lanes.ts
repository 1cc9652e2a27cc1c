import type { EncodedPair } from "../core/pair.js";
import type { Lane } from "../core/ports/lane.js";
import type { BatchSource } from "../core/ports/batch-source.js";
import type { ObserveWork, BatchFigures } from "../core/work-events.js";

/** `work` as it is, with `observe` told of each message that a lane has answered. */
export function observeLanes(work: BatchSource, observe: ObserveWork): BatchSource {
  return { serve: (lane, signal) => work.serve(observeLane(lane, observe), signal) };
}

/** `lane` as it is, with `observe` told of each message that it has answered. */
export function observeLane(lane: Lane, observe: ObserveWork): Lane {
  return {
    id: lane.id,
    get alive() {
      return lane.alive;
    },
    ...(lane.died === undefined ? {} : { died: lane.died }),
    get grownBytes() {
      return lane.grownBytes ?? 0;
    },
    async score(runs) {
      const startedMs = performance.now();
      const logits = await lane.score(runs);
      const tookMs = performance.now() - startedMs;
      observe({ type: "inferred", batches: runs.map(figuresOf), tookMs });
      return logits;
    },
  };
}

function figuresOf(pairs: readonly EncodedPair[]): BatchFigures {
  const lengths = pairs.map(({ ids }) => ids.length);
  return {
    tokens: lengths.reduce((sum, length) => sum + length, 0),
    paddedTokens: pairs.length * Math.max(0, ...lengths),
  };
}

import type { EncodedPair, Lane, LaneWork } from "../core/ports.js";
import type { ObserveWork, RunFigures } from "../core/work-events.js";

/** `work` as it is, with `observe` told of each message that a lane has answered. */
export function observeLanes(work: LaneWork, observe: ObserveWork): LaneWork {
  return { serve: (lane, signal) => work.serve(observeLane(lane, observe), signal) };
}

function observeLane(lane: Lane, observe: ObserveWork): Lane {
  return {
    id: lane.id,
    get alive() {
      return lane.alive;
    },
    ...(lane.died === undefined ? {} : { died: lane.died }),
    get grownBytes() {
      return lane.grownBytes ?? 0;
    },
    async run(runs) {
      const startedMs = performance.now();
      const logits = await lane.run(runs);
      const tookMs = performance.now() - startedMs;
      observe({ type: "inferred", runs: runs.map(figuresOf), tookMs });
      return logits;
    },
  };
}

function figuresOf(pairs: readonly EncodedPair[]): RunFigures {
  const lengths = pairs.map(({ ids }) => ids.length);
  return {
    tokens: lengths.reduce((sum, length) => sum + length, 0),
    paddedTokens: pairs.length * Math.max(0, ...lengths),
  };
}

import type { Lane, LaneWork } from "../core/ports.js";

/** `work` as it is, with `onBatch` called at each message that a lane has answered. */
export function observeLanes(work: LaneWork, onBatch: () => void): LaneWork {
  return { serve: (lane, signal) => work.serve(observe(lane, onBatch), signal) };
}

function observe(lane: Lane, onBatch: () => void): Lane {
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
      const logits = await lane.run(runs);
      onBatch();
      return logits;
    },
  };
}

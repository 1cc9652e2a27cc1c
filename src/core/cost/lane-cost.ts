import { fitQuadratic, quadraticAt, type Quadratic, type ShapeSample } from "./quadratic.js";

/** Rows and tokens of the longest one, of one `session.run`. */
export interface BatchShape {
  readonly rows: number;
  readonly length: number;
}

/** A lane that takes this many times what it was measured to take is not slow, it hangs. */
const DEADLINE_FACTOR = 25;
/** A machine can stand still for seconds: other work, a suspended container, a cold disk. */
const MIN_DEADLINE_MS = 30_000;

/** XLM-R large in fp32 on one slow core takes half of it; for lanes that were never measured. */
export const UNMEASURED_TIMING: Quadratic = { fixed: 5, perToken: 10, perSquare: 0.005 };

/** @param samples values in milliseconds */
export function fitTiming(samples: readonly ShapeSample[]): Quadratic {
  return fitQuadratic(samples);
}

/** Milliseconds after which a lane that has not answered for these batches is taken to hang. */
export function deadlineMs(timing: Quadratic, batches: readonly BatchShape[]): number {
  const expected = batches.reduce(
    (sum, { rows, length }) => sum + quadraticAt(timing, rows, length),
    0,
  );
  return Math.max(MIN_DEADLINE_MS, Math.ceil(expected * DEADLINE_FACTOR));
}

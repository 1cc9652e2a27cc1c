import type { Lane } from "./lane.js";

/** The source of a lane's work. */
export interface BatchSource {
  /**
   * Serves `lane` until it fails, is to be replaced, or `signal` aborts; what the lane had in hand
   * when it failed is given to others.
   *
   * @returns why the lane is to be replaced, with nothing in its hands: it holds memory that others
   *   need, or more than its work explains; undefined if `signal` aborted
   * @throws whatever `lane.batch` threw last, once the lane is no longer `alive`
   */
  serve(lane: Lane, signal: AbortSignal): Promise<string | undefined>;
}

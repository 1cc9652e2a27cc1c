/**
 * The most of a run that may be in Redis. Bounds Redis and the owner alike, whatever the size of
 * the run and the speed of the workers.
 */
export interface InFlightBounds {
  readonly maxJobs: number;
  /** UTF-8 bytes of the requests in flight. */
  readonly maxBytes: number;
}

/** Enough for the hands of a hundred workers; requests in flight are also held by the owner. */
export const DEFAULT_IN_FLIGHT_BOUNDS: InFlightBounds = { maxJobs: 10_000, maxBytes: 67_108_864 };

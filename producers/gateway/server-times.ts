/** The times after which a slow client is cut off, in milliseconds. */
export interface ServerTimes {
  /** For a connection's first bytes, and for the headers of each request. */
  readonly headersMs: number;
  /** Between two parts of a body. */
  readonly readMs: number;
  /** For a body that is held in memory. */
  readonly bodyMs: number;
  /** For a whole request, a file that is uploaded included. */
  readonly requestMs: number;
  /** For the client to take some more of its answer. */
  readonly writeMs: number;
  /** Between two requests of a connection. */
  readonly keepAliveMs: number;
}

export const DEFAULT_TIMES: ServerTimes = {
  headersMs: 10_000,
  readMs: 30_000,
  // A body of the largest size on a slow line.
  bodyMs: 60_000,
  requestMs: 3_600_000,
  writeMs: 30_000,
  // Longer than balancers keep theirs: a connection is not closed under a request of theirs.
  keepAliveMs: 75_000,
};

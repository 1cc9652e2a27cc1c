/** Runs that others feed to the same workers. */
export interface OtherFeeders {
  readonly runs: number;
  /** Bytes of requests that workers drain from all of them together. */
  readonly bytesPerSecond: number;
}

/** The board on which those who feed one model's workers see each other, so that each keeps to its share. */
export interface FeedingBoard {
  /** Says for some seconds that `owner` feeds, and what workers drain of it. @returns the others */
  post(owner: string, bytesPerSecond: number): Promise<OtherFeeders>;
  /** `owner` feeds no more. */
  remove(owner: string): Promise<void>;
}

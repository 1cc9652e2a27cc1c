/** Memory of keys and values that a lane makes of the tokens that pairs of a query share. */
export interface PrefixCost {
  readonly bytesPerToken: number;
  /** Bytes that a lane keeps, for which there is room apart. */
  readonly keptBytes: number;
}

/**
 * Bytes that a prefix may take for the time of its batch alone, because it is larger than what a lane keeps.
 * Tokens of the whole pair stand for those of its prefix.
 */
export function passingBytes(cost: PrefixCost | undefined, tokens: number): number {
  if (cost === undefined) return 0;
  const bytes = tokens * cost.bytesPerToken;
  return bytes > cost.keptBytes ? bytes : 0;
}

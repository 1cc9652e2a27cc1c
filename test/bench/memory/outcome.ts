/** The outcome of the documents of an experiment. */
export interface Outcome {
  readonly pairs: number;
  readonly scored: number;
  /** Documents without a score, by the code that says why. */
  readonly reasons: ReadonlyMap<string, number>;
}

export function explainedOf({ reasons }: Outcome): number {
  return [...reasons.values()].reduce((sum, count) => sum + count, 0);
}

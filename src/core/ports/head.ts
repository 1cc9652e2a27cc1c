/** Which of the numbers that a graph gives for a pair a head reads, counted from 0. */
export interface HeadLabels {
  /** The number that grows with relevance. */
  readonly label: number;
  /** The number that it is compared with. */
  readonly against: number;
}

/** The way from the numbers that a graph gives for a pair to the one logit that ranks it. */
export interface Head {
  /** Its name in files. */
  readonly kind: string;
  /** The members of {@link HeadLabels} that it reads. */
  readonly reads: readonly (keyof HeadLabels)[];
  /** Fewest and most numbers that a graph may give for a pair. */
  readonly numbers: { readonly least: number; readonly most: number };
  /**
   * @param row the numbers of one pair, as many as `numbers` allows
   * @returns one that grows with relevance. Its sigmoid is the public score
   */
  logit(row: Float32Array, labels: HeadLabels): number;
}

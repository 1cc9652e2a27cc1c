/** The distance of a model's logits from those that they stand for. */
export interface Distance {
  readonly most: number;
  readonly mean: number;
  /** Kendall's tau within the lists, the mean over them. */
  readonly tau: number;
}

/** @param lists lengths of the lists, one after another */
export function compareLogits(
  exact: readonly number[],
  logits: readonly number[],
  lists: readonly number[],
): Distance {
  const differences = exact.map((logit, i) => Math.abs(logit - (logits[i] ?? Number.NaN)));
  let start = 0;
  const taus = lists.map((length) => {
    const end = start + length;
    const tau = kendall(exact.slice(start, end), logits.slice(start, end));
    start = end;
    return tau;
  });
  return {
    most: differences.reduce((most, one) => Math.max(most, one), 0),
    mean: mean(differences),
    tau: mean(taus),
  };
}

function kendall(one: readonly number[], other: readonly number[]): number {
  let agreeing = 0;
  let pairs = 0;
  for (let i = 0; i < one.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const a = Math.sign((one[i] ?? NaN) - (one[j] ?? NaN));
      const b = Math.sign((other[i] ?? NaN) - (other[j] ?? NaN));
      agreeing += a * b;
      pairs += 1;
    }
  }
  return agreeing / pairs;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

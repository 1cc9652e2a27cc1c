export const ACTIVATIONS = ["sigmoid", "identity"] as const;
/** The function that makes the public score from the logit. */
export type Activation = (typeof ACTIVATIONS)[number];

/** Applied exactly once, here; the raw logit always travels beside the score. */
export function activate(logit: number, activation: Activation): number {
  return activation === "identity" ? logit : 1 / (1 + Math.exp(-logit));
}

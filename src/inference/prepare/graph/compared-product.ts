/** Outputs of a graph that holds a product in several forms beside each other. */
export interface ComparedProduct {
  /** Without any rounding of activations. */
  readonly exact: string;
  readonly original: string;
  readonly formed: string;
}

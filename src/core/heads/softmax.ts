import type { Head } from "../ports/head.js";

/**
 * The head of a model whose labels exclude each other. The sigmoid of its logit is the label's share
 * of the softmax, and the logit keeps the order where that share is 1 to the last digit.
 */
export const SOFTMAX = {
  kind: "softmax",
  reads: ["label"],
  numbers: { least: 2, most: Number.POSITIVE_INFINITY },
  logit: (row, { label }) => (row[label] ?? Number.NaN) - logOfOthers(row, label),
} as const satisfies Head;

/** Logarithm of the sum of the exponentials of all numbers but one; with one other, that number. */
function logOfOthers(row: Float32Array, label: number): number {
  const others = row.filter((_, i) => i !== label);
  const most = Math.max(...others);
  const sum = others.reduce((total, one) => total + Math.exp(one - most), 0);
  return most + Math.log(sum);
}

import type { Head } from "../ports/head.js";

/** The head of a model whose labels do not exclude each other: the number of one, whatever the others are. */
export const ONE_LABEL = {
  kind: "label",
  reads: ["label"],
  numbers: { least: 2, most: Number.POSITIVE_INFINITY },
  logit: (row, { label }) => row[label] ?? Number.NaN,
} as const satisfies Head;

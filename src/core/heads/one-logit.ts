import type { Head } from "../ports/head.js";

/** The head of a model with one number per pair. */
export const ONE_LOGIT = {
  kind: "logit",
  reads: [],
  numbers: { least: 1, most: 1 },
  logit: (row) => row[0] ?? Number.NaN,
} as const satisfies Head;

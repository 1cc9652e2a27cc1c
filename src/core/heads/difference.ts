import type { Head } from "../ports/head.js";

/** The head of a model that says yes and no: by how much one number is above the other. */
export const DIFFERENCE = {
  kind: "difference",
  reads: ["label", "against"],
  numbers: { least: 2, most: Number.POSITIVE_INFINITY },
  logit: (row, { label, against }) => (row[label] ?? Number.NaN) - (row[against] ?? Number.NaN),
} as const satisfies Head;

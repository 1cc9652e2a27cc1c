/**
 * The number formats of model files, in the order in which they are offered. Each gives other scores, and
 * so has a queue of its own. docs/words.md says what each means.
 */
export const PRECISIONS = ["fp32", "fp16", "int8", "uint8", "w8", "q4", "q4f16", "bnb4"] as const;
export type Precision = (typeof PRECISIONS)[number];

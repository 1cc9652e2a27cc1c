import type { Form } from "./forms/registry.js";

/**
 * The number formats in which models are computed, in the order in which they are offered. Each gives other
 * scores, and so has a queue of its own. docs/words.md says what each means.
 */
export const PRECISIONS = [
  "fp32",
  "bf16",
  "fp16",
  "int8",
  "uint8",
  "w8",
  "q4",
  "q4f16",
  "bnb4",
] as const;
export type Precision = (typeof PRECISIONS)[number];

/** A precision that needs no file of its own. */
export interface ComputedPrecision {
  /** The precision of the file that it is computed from. */
  readonly from: Precision;
  /** The numeric form of what is computed. */
  readonly form: Form;
}

/** The precisions that are computed from another's file if the model has none of their own. */
export const COMPUTED_PRECISIONS: Readonly<Partial<Record<Precision, ComputedPrecision>>> = {
  w8: { from: "fp32", form: "made" },
  bf16: { from: "fp32", form: "openvino" },
};

/** The precision of the file that a model of `precision` needs. */
export function filePrecision(precision: Precision): Precision {
  return COMPUTED_PRECISIONS[precision]?.from ?? precision;
}

/** Precisions that an operator may ask for; `auto` is the fastest on a host that errs little. */
export const PRECISION_CHOICES = ["auto", ...PRECISIONS] as const;
export type PrecisionChoice = (typeof PRECISION_CHOICES)[number];

/** @returns undefined for `auto`, and if none was asked for: what is usual */
export function namedPrecision(choice: PrecisionChoice | undefined): Precision | undefined {
  return choice === "auto" ? undefined : choice;
}

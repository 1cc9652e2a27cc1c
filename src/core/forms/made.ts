import type { NumericForm } from "./form.js";

export const MADE = {
  name: "made",
  description: "weights in bytes with a scale per block, made from the fp32 file",
  isPrepared: true,
} as const satisfies NumericForm;

import type { NumericForm } from "./form.js";

export const ROWS = {
  name: "rows",
  description: "int8 with a scale per row of activations, made from a dynamic int8 file",
  option: ["int8-form", "rows"],
  isPrepared: true,
} as const satisfies NumericForm;

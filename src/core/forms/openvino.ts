import type { NumericForm } from "./form.js";

export const OPENVINO = {
  name: "openvino",
  description: "computed by OpenVINO",
  flags: "--runtime openvino",
} as const satisfies NumericForm;

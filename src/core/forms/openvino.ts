import type { NumericForm } from "./form.js";

export const OPENVINO = {
  name: "openvino",
  description: "computed by OpenVINO",
  option: ["runtime", "openvino"],
  isPrepared: false,
} as const satisfies NumericForm;

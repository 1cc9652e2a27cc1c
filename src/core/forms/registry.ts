import { MADE } from "./made.js";
import { OPENVINO } from "./openvino.js";
import { ROWS } from "./rows.js";

/** Every numeric form. A model in none of them is its file's own numbers on ONNX Runtime. */
export const FORMS = [ROWS, MADE, OPENVINO] as const;
export type Form = (typeof FORMS)[number]["name"];

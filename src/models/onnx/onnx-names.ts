import type { Precision } from "../../core/precision.js";

/**
 * The meaning of exported files' names, by the conventions of optimum, sentence-transformers and
 * the ONNX community on the hub. The order within a precision is that of preference: a file for any CPU first,
 * then the ones made for one instruction set. Signed weights are what VNNI and AMX are fast with.
 */
const KNOWN: readonly { readonly stem: RegExp; readonly precision: Precision }[] = [
  { stem: /^model$/, precision: "fp32" },
  { stem: /^model_fp32$/, precision: "fp32" },
  { stem: /^model_fp16$/, precision: "fp16" },
  { stem: /^model_int8$/, precision: "int8" },
  { stem: /^model_quantized$/, precision: "int8" },
  { stem: /^model_qint8$/, precision: "int8" },
  { stem: /^model_qint8_avx512_vnni$/, precision: "int8" },
  { stem: /^model_qint8_\w+$/, precision: "int8" },
  { stem: /^model_uint8$/, precision: "uint8" },
  { stem: /^model_quint8(_\w+)?$/, precision: "uint8" },
  { stem: /^model_w8$/, precision: "w8" },
  { stem: /^model_q4$/, precision: "q4" },
  { stem: /^model_q4f16$/, precision: "q4f16" },
  { stem: /^model_bnb4$/, precision: "bnb4" },
];

/** @returns precision and rank (lower is preferred), or undefined for a file of another kind */
export function classifyOnnxName(
  fileName: string,
): { precision: Precision; rank: number } | undefined {
  if (!fileName.endsWith(".onnx")) return undefined;
  const stem = fileName.slice(0, -".onnx".length);
  const rank = KNOWN.findIndex((known) => known.stem.test(stem));
  const known = KNOWN[rank];
  return known === undefined ? undefined : { precision: known.precision, rank };
}

/** `model.onnx_data`, `model.onnx_data_1`, `model.onnx.data`: the names that exporters write. */
export function isDataOf(graphName: string, siblingName: string): boolean {
  if (!siblingName.startsWith(graphName)) return false;
  return /^[._]data(_\d+)?$/.test(siblingName.slice(graphName.length));
}

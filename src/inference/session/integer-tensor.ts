import type * as Ort from "onnxruntime-node";
import type { Tensor } from "onnxruntime-node";

export type IntegerType = "int64" | "int32";

export function integerTensor(
  ort: typeof Ort,
  type: IntegerType,
  values: Int32Array,
  shape: readonly number[],
): Tensor {
  if (type === "int32") return new ort.Tensor("int32", values, shape);
  return new ort.Tensor("int64", BigInt64Array.from(values, BigInt), shape);
}

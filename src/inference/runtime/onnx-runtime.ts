import { ModelSession } from "../session/model-session.js";
import { runtimeVersion } from "./installed-onnx-runtime.js";
import type { Runtime } from "./runtime.js";

/** Microsoft's ONNX Runtime, through its binding for Node. It comes with the package. */
export const ONNX_RUNTIME: Runtime & { readonly kind: "onnxruntime" } = {
  kind: "onnxruntime",
  name: "ONNX Runtime",
  form: undefined,
  files: undefined,
  mapsWeights: false,
  ownWeights: 0,
  lengths: undefined,
  keptBytesPerLength: 0,
  crashAdvice: undefined,
  version: runtimeVersion,
  find: async () => await Promise.resolve({ status: "works" }),
  prepare: async (model, save, form) => {
    const { compileModel } = await import("../prepare/compile-model.js");
    return await compileModel(model, save, form);
  },
  open: async (model) => await ModelSession.open(model),
};

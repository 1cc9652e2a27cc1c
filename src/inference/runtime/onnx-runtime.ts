import { ModelSession } from "../session/model-session.js";
import { runtimeVersion } from "./installed-onnx-runtime.js";
import type { Runtime } from "./runtime.js";

/** Microsoft's ONNX Runtime, through its binding for Node. */
export const ONNX_RUNTIME: Runtime = {
  name: "ONNX Runtime",
  version: runtimeVersion,
  open: async (model) => await ModelSession.open(model),
};

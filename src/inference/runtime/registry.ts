import type { Form } from "../../core/forms/registry.js";
import { ONNX_RUNTIME } from "./onnx-runtime.js";
import { OPENVINO } from "./openvino/openvino.js";
import type { FoundRuntime, Runtime } from "./runtime.js";

/** All runtimes; a new one is a line here. The first runs whatever no other was asked for. */
const REGISTERED = [ONNX_RUNTIME, OPENVINO] as const;

export const RUNTIMES: readonly Runtime[] = REGISTERED;
export type RuntimeKind = (typeof REGISTERED)[number]["kind"];
export const RUNTIME_KINDS: readonly RuntimeKind[] = REGISTERED.map(({ kind }) => kind);

/** A runtime that lanes of a worker load. */
export type WorkerRuntime = FoundRuntime<RuntimeKind>;
export const DEFAULT_RUNTIME: WorkerRuntime = { kind: ONNX_RUNTIME.kind };

export function runtimeOf(kind: RuntimeKind = DEFAULT_RUNTIME.kind): Runtime {
  const runtime = REGISTERED.find((one) => one.kind === kind);
  if (runtime === undefined) throw new RangeError(`no runtime is called "${kind}"`);
  return runtime;
}

/** The runtime that computes a numeric form of a model. */
export function runtimeForForm(form: Form | undefined): Runtime & { readonly kind: RuntimeKind } {
  return REGISTERED.find(({ form: own }) => own !== undefined && own === form) ?? ONNX_RUNTIME;
}

import type { Numbers } from "../../core/forms/numbers.js";
import type { Wording } from "../../core/wording.js";
import type { RuntimeKind, WorkerRuntime } from "../../inference/runtime/registry.js";
import type { ResolvedModel } from "../../models/resolve.js";

/** A precision and a numeric form in which this host can compute a model, with the runtime that does it. */
export interface Way {
  readonly model: ResolvedModel;
  readonly runtime: WorkerRuntime;
}

/** A way that the model's files allow and this host does not, and why in one line. */
export interface ClosedWay {
  readonly numbers: Numbers;
  readonly runtime: RuntimeKind;
  readonly why: Wording;
}

/** Everything that can be computed from the files of a model. */
export interface Ways {
  /** The fp32 file on ONNX Runtime: what errors are measured against. */
  readonly reference: Way;
  readonly open: readonly Way[];
  readonly closed: readonly ClosedWay[];
}

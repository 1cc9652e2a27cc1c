import type { InferenceSession } from "onnxruntime-node";
import { deviceOf } from "../devices/registry.js";
import type { LaneModel } from "../lanes/lane-protocol.js";

type SessionOptions = InferenceSession.SessionOptions;

/** Places in which a session leaves the optimised graph and the file of its weights. */
export interface SaveTarget {
  /** Absolute path of the graph. */
  readonly onnxPath: string;
  /** Name of the file of weights, beside the graph. */
  readonly dataName: string;
}

/** The layout of saved weights: the kernels' own, for lanes to map; or the file's, for a graph that is rewritten. */
export type SavedWeights = "packed" | "as-it-is";

/** Smaller tensors stay inside the graph: a page of their own would save nothing. ORT's default. */
const MIN_EXTERNAL_BYTES = 1_024;

/**
 * The session options of a lane, and, with `save`, of the preparation: both from this one place, so
 * that a prepared graph is the graph that a lane would have made of the original.
 */
export function sessionOptions(
  model: LaneModel,
  save?: SaveTarget,
  kept: SavedWeights = "packed",
): SessionOptions {
  const { provider, slowOptimizers } = deviceOf(model.device).onnxRuntime;
  return {
    executionProviders: [provider(model.card ?? 0)],
    intraOpNumThreads: model.intraOpThreads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // A prepared graph has been through all of it; optimised again it could become another graph.
    graphOptimizationLevel: model.prepared === true ? "disabled" : "all",
    // Shapes differ from batch to run: a pattern remembered for each would only grow.
    enableMemPattern: false,
    logSeverityLevel: 3,
    ...(save === undefined ? {} : { optimizedModelFilePath: save.onnxPath }),
    extra: {
      ...(slowOptimizers === undefined
        ? {}
        : { optimization: { disable_specified_optimizers: slowOptimizers } }),
      session: {
        // Spinning threads burn the cores that the other lanes need.
        intra_op: { allow_spinning: "0" },
        ...(model.exactInt8 === true ? { x64quantprecision: "1" } : {}),
        ...(save === undefined
          ? {}
          : {
              optimized_model_external_initializers_file_name: save.dataName,
              optimized_model_external_initializers_min_size_in_bytes: String(MIN_EXTERNAL_BYTES),
              // Weights in the kernels' own layout go into the file too, or each lane would make
              // its own copy of them on the heap.
              save_external_prepacked_constant_initializers: kept === "packed" ? "1" : "0",
            }),
      },
    },
  };
}

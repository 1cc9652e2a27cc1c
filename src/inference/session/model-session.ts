import type * as Ort from "onnxruntime-node";
import type { InferenceSession, Tensor, TypedTensor } from "onnxruntime-node";
import { RankmillError } from "../../core/errors.js";
import { installAdvice } from "../../platform/install-advice.js";
import { paddedLength } from "../../core/cost/length-buckets.js";
import { rerankerInput, scoredOutput, whyNotReranker } from "../../models/onnx/onnx-check.js";
import type { RerankerInput } from "../../models/onnx/onnx-check.js";
import type { OnnxValue } from "../../models/onnx/onnx-outline.js";
import { deviceOf } from "../devices/registry.js";
import type { LaneModel, BatchInput } from "../lanes/lane-protocol.js";
import type { Session } from "../runtime/runtime.js";
import { isPastInput, pastLayout } from "../../models/onnx/past-layout.js";
import { fillInput } from "./fill-input.js";
import { integerTensor, type IntegerType } from "./integer-tensor.js";
import { rowLogits } from "./row-logits.js";
import { sessionOptions, type SavedWeights, type SaveTarget } from "./session-options.js";
import { SharedPrefixRuns } from "./shared-prefix-runs.js";
import { unusable } from "./unusable.js";

type OnnxRuntime = typeof Ort;

/** An opened ONNX cross-encoder, with its head. Loads the native runtime: for lanes only. */
export class ModelSession implements Session {
  readonly #ort: OnnxRuntime;
  readonly #session: InferenceSession;
  readonly #model: LaneModel;
  readonly #inputs: readonly { readonly name: RerankerInput; readonly type: IntegerType }[];
  readonly #output: string;
  /** Undefined for a graph that takes no keys and values. */
  readonly #prefixes: SharedPrefixRuns | undefined;

  private constructor(ort: OnnxRuntime, session: InferenceSession, model: LaneModel) {
    this.#ort = ort;
    this.#session = session;
    this.#model = model;
    const outputs = session.outputMetadata.map(valueOf);
    // The file said so as well when the model was found; what the runtime read of it decides.
    const inputs = session.inputMetadata.map(valueOf);
    const why = whyNotReranker({ inputs, outputs }, { head: model.head });
    const output = scoredOutput(outputs);
    if (why !== undefined || output === undefined) throw unusable(why ?? "it has no output");
    this.#output = output.name;
    this.#inputs = session.inputMetadata.filter(({ name }) => !isPastInput(name)).map(integerInput);
    const layout = pastLayout({ inputs, outputs });
    if (layout !== undefined) {
      const typeOf = (name: string): IntegerType => typeOfInput(session, name);
      const parts = { ort, session, model, layout, output: output.name, typeOf };
      this.#prefixes = new SharedPrefixRuns(parts);
    }
  }

  get prefixBytes(): number {
    return this.#prefixes?.heldBytes ?? 0;
  }

  /**
   * @param kept how weights are written
   * @param save where the optimised graph and its weights are to be written while opening
   * @throws RankmillError `model_unusable` with the reason; `missing_dependency`
   */
  static async open(
    model: LaneModel,
    save?: SaveTarget,
    kept: SavedWeights = "packed",
  ): Promise<ModelSession> {
    const ort = await loadOnnxRuntime();
    let session: InferenceSession;
    try {
      session = await ort.InferenceSession.create(
        model.onnxPath,
        sessionOptions(model, save, kept),
      );
    } catch (error) {
      const said = firstLine(error);
      const { memory, saysOutOfMemory } = deviceOf(model.device);
      if (memory.kind === "own" && saysOutOfMemory(said)) {
        // This is not final: the process that held the memory may be on its way out.
        throw new RankmillError(
          "lane_failed",
          `the GPU has no room for the model's weights (${said}): free its memory, or choose a smaller model or precision`,
          { cause: error },
        );
      }
      throw unusable(`ONNX Runtime cannot open it: ${said}`, error);
    }
    return new ModelSession(ort, session, model);
  }

  /** @returns one logit per row */
  async run(input: BatchInput): Promise<Float32Array> {
    const numbers = await this.#numbers(input);
    return rowLogits(numbers, input.ids.length, this.#model.head);
  }

  async #numbers(input: BatchInput): Promise<Float32Array> {
    if (this.#prefixes !== undefined) return await this.#prefixes.run(input);
    const [numbers = new Float32Array()] = await this.outputs(input, [this.#output]);
    return numbers;
  }

  /** @returns the values of the outputs called `names`, in order, flat */
  async outputs(input: BatchInput, names: readonly string[]): Promise<Float32Array[]> {
    const longest = input.ids.reduce((most, ids) => Math.max(most, ids.length), 0);
    const columns = paddedLength(longest, this.#model.lengthBuckets);
    const feeds = this.#prefixes?.wholeFeeds(input, columns) ?? this.#feeds(input, columns);
    const outputs = await this.#session.run(feeds, names);
    return names.map((name) => {
      const output = outputs[name] as TypedTensor<"float32"> | undefined;
      const values = output?.data;
      if (output?.type !== "float32" || !(values instanceof Float32Array)) {
        throw unusable(`its output "${name}" is ${output?.type ?? "missing"}, not float32`);
      }
      const copy = new Float32Array(values);
      output.dispose();
      return copy;
    });
  }

  #feeds(input: BatchInput, columns: number): Record<string, Tensor> {
    if (this.#model.unmasked === true && input.ids.some((ids) => ids.length < columns)) {
      throw new RangeError("rows of several lengths in one batch of a model that reads no mask");
    }
    const feeds: Record<string, Tensor> = {};
    for (const { name, type } of this.#inputs) {
      const filled = fillInput(name, input, columns, this.#model);
      feeds[name] = integerTensor(this.#ort, type, filled, [input.ids.length, columns]);
    }
    return feeds;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  try {
    return await import("onnxruntime-node");
  } catch (error) {
    throw new RankmillError(
      "missing_dependency",
      `a worker needs onnxruntime-node: ${installAdvice("onnxruntime-node")} (${firstLine(error)})`,
      { cause: error },
    );
  }
}

function valueOf(metadata: InferenceSession.ValueMetadata): OnnxValue {
  const { name } = metadata;
  if (!metadata.isTensor) return { name, shape: undefined };
  const shape = metadata.shape.map((size) => (typeof size === "number" && size > 0 ? size : null));
  return { name, shape };
}

function integerInput(metadata: InferenceSession.ValueMetadata): {
  readonly name: RerankerInput;
  readonly type: IntegerType;
} {
  const name = rerankerInput(metadata.name);
  if (name === undefined) throw unusable(`its input "${metadata.name}" cannot be filled`);
  return { name, type: integerType(metadata) };
}

function integerType(metadata: InferenceSession.ValueMetadata): IntegerType {
  const { name } = metadata;
  if (!metadata.isTensor) throw unusable(`its input "${name}" is not a tensor`);
  const { type } = metadata;
  if (type === "int64" || type === "int32") return type;
  throw unusable(`its input "${name}" is ${type}, not int64 or int32`);
}

function typeOfInput(session: InferenceSession, name: string): IntegerType {
  const metadata = session.inputMetadata.find((input) => input.name === name);
  if (metadata === undefined) throw unusable(`it has no input "${name}"`);
  return integerType(metadata);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? text;
}

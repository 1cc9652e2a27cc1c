import { rerankerInput, scoredOutput, whyNotReranker } from "../../../models/onnx/onnx-check.js";
import { readOnnxOutline, type OnnxOutline } from "../../../models/onnx/onnx-outline.js";
import type { RankmillError } from "../../../core/errors.js";
import type { BatchInput, LaneModel } from "../../lanes/lane-protocol.js";
import { rowLogits } from "../../session/row-logits.js";
import { unusable } from "../../session/unusable.js";
import type { Session } from "../runtime.js";
import { bindInputs, type Input } from "./bind-inputs.js";
import { compileProperties, whyNotAsAsked } from "./compile-properties.js";
import { ELEMENT, loadOpenVino, notLoaded } from "./openvino-library.js";
import { OpenVinoModel } from "./openvino-model.js";
import { letGoOfWeights } from "./mapped-weights.js";
import { UnwrittenNumbers } from "./unwritten-numbers.js";

/** OpenVINO's words for a plugin that the loader refuses. */
const NOT_LOADED = /^Cannot load library /;

interface Graph {
  readonly inputs: readonly Input[];
  readonly output: string;
  /** The output's dimensions after the first, which is that of rows. */
  readonly numbersPerRow: readonly number[];
  /** Token ids are below this; undefined if the file does not say. */
  readonly vocabularyRows: number | undefined;
}

/** A cross-encoder that OpenVINO runs. Loads native code: for lanes only. */
export class OpenVinoSession implements Session {
  /** Graphs that share prefixes are for another runtime. */
  readonly prefixBytes = 0;
  readonly #compiled: OpenVinoModel;
  readonly #graph: Graph;
  readonly #model: LaneModel;

  private constructor(compiled: OpenVinoModel, graph: Graph, model: LaneModel) {
    this.#compiled = compiled;
    this.#graph = graph;
    this.#model = model;
  }

  /**
   * @param libraryPath of OpenVINO's C library
   * @throws RankmillError `model_unusable` with the reason; `missing_dependency`
   */
  static async open(model: LaneModel, libraryPath: string): Promise<OpenVinoSession> {
    const outline = outlineOf(model.onnxPath);
    const why = whyNotReranker(outline, { head: model.head });
    const output = scoredOutput(outline.outputs);
    if (why !== undefined || output === undefined) throw unusable(why ?? "it has no output");
    const library = await loadOpenVino(libraryPath);
    const options = { onnxPath: model.onnxPath, properties: compileProperties(model) };
    const compiled = await OpenVinoModel.compile(library, options).catch((error: unknown) => {
      throw whyNotCompiled(messageOf(error), error);
    });
    try {
      const computes = whyNotAsAsked(model, compiled.property("INFERENCE_PRECISION_HINT"));
      if (computes !== undefined) throw unusable(computes);
      const inputs = outline.inputs.map(({ name }) => inputOf(name, compiled));
      const { vocabularyRows } = outline;
      const numbersPerRow = await tryOutput(compiled, inputs, output.name, model);
      letGoOfWeights(library, model.onnxPath, outline);
      const graph = { inputs, output: output.name, numbersPerRow, vocabularyRows };
      return new OpenVinoSession(compiled, graph, model);
    } catch (error) {
      compiled.close();
      throw error;
    }
  }

  async run(input: BatchInput): Promise<Float32Array> {
    const { output, numbersPerRow } = this.#graph;
    const rows = input.ids.length;
    this.#checkIds(input);
    const result = new UnwrittenNumbers([rows, ...numbersPerRow]);
    bindInputs(this.#compiled, this.#graph.inputs, input, this.#model);
    this.#compiled.bind(output, ELEMENT.float32, result.memory, result.shape);
    await this.#compiled.run();
    return rowLogits(result.written(), rows, this.#model.head);
  }

  async close(): Promise<void> {
    this.#compiled.close();
    return await Promise.resolve();
  }

  /** OpenVINO takes zeros for a token that the table does not have, and says nothing. */
  #checkIds({ ids }: BatchInput): void {
    const { vocabularyRows } = this.#graph;
    if (vocabularyRows === undefined) return;
    const id = ids.flatMap((row) => row.find((one) => one < 0 || one >= vocabularyRows) ?? [])[0];
    if (id === undefined) return;
    throw new RangeError(`token id ${id} is not among the model's ${vocabularyRows}`);
  }
}

/** OpenVINO loads its plugins when it first compiles: what is wrong with one of them is no fault of the model. */
function whyNotCompiled(reason: string, cause: unknown): RankmillError {
  if (NOT_LOADED.test(reason)) return notLoaded(reason, cause);
  return unusable(
    `OpenVINO cannot open it, ONNX Runtime may (${reason}): leave out the runtime`,
    cause,
  );
}

function outlineOf(onnxPath: string): OnnxOutline {
  try {
    return readOnnxOutline(onnxPath);
  } catch (error) {
    throw unusable(messageOf(error), error);
  }
}

/** Runs a pair of two tokens. @returns the output's dimensions after the first */
async function tryOutput(
  compiled: OpenVinoModel,
  inputs: readonly Input[],
  output: string,
  model: LaneModel,
): Promise<readonly number[]> {
  bindInputs(compiled, inputs, { ids: [new Int32Array(2)], secondStarts: [1] }, model);
  await compiled.run();
  const { type, shape } = compiled.outputKind(output);
  if (type !== ELEMENT.float32) throw unusable(`its output "${output}" is not float32`);
  if (shape[0] !== 1) throw unusable(`its output "${output}" has no row per pair`);
  return shape.slice(1);
}

function inputOf(given: string, compiled: OpenVinoModel): Input {
  const name = rerankerInput(given);
  if (name === undefined) throw unusable(`OpenVINO cannot fill its input "${given}"`);
  const type = compiled.inputType(given);
  if (type === ELEMENT.int32 || type === ELEMENT.int64) return { name, type };
  throw unusable(`its input "${given}" is not int64 or int32`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

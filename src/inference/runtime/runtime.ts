import type { Form } from "../../core/forms/registry.js";
import type { Precision } from "../../core/precision.js";
import type { BatchInput, LaneModel } from "../lanes/lane-protocol.js";
import type { Compiled } from "../prepare/compile-model.js";
import type { SaveTarget } from "../session/session-options.js";

/**
 * A library that runs a model's graph inside a lane. A device (`devices/device.ts`) is another thing:
 * the processor that a runtime is told to use.
 *
 * Each runtime has a file or a folder here and a line in `registry.ts`, and passes
 * `test/conformance/runtime.suite.ts`.
 */
export interface Runtime {
  /** Word of the command line's `--runtime`. */
  readonly kind: string;
  /** Name in messages. */
  readonly name: string;
  /** The numeric form that its scores have; undefined for the one whose scores are the file's own numbers. */
  readonly form: Form | undefined;
  /** Precisions of files that it runs; undefined for all. */
  readonly files: readonly Precision[] | undefined;
  /** True if it maps weights that an exporter has put into a file of their own: there is nothing to prepare. */
  readonly mapsWeights: boolean;
  /** Memory of a lane's own beside the files that lanes map together, in sizes of the model's file. */
  readonly ownWeights: number;
  /**
   * The lengths to which rows are padded, for a runtime that keeps something of every length it has met;
   * undefined if it keeps nothing.
   *
   * @param highest tokens of the model's longest pair
   */
  readonly lengths: ((highest: number) => readonly number[]) | undefined;
  /** Bytes that it keeps of each length that it has met, for as long as the lane lives; measured. */
  readonly keptBytesPerLength: number;
  /** Advice for a lane that crashes before it is ready; undefined if its libraries come with the package. */
  readonly crashAdvice: string | undefined;
  /** Version of what is installed, found without loading it. @throws RankmillError `missing_dependency` */
  version(): Promise<string>;
  /** Search for its libraries on this machine; never throws for what is missing. */
  find(places: RuntimePlaces): Promise<RuntimeState>;
  /**
   * Writes the files of a model that lanes map together. Loads native code: for a process of its own only.
   *
   * @param form the numeric form to make of it first; undefined: none
   * @throws RankmillError `prepare_failed`, `model_unusable`
   */
  prepare(model: LaneModel, save: SaveTarget, form?: Form): Promise<Compiled>;
  /**
   * Opens a model. Loads native code: for lanes only.
   *
   * @throws RankmillError `model_unusable` with the reason, `missing_dependency`; `lane_failed` if the
   *   device has no room for the weights at the moment
   */
  open(model: LaneModel): Promise<Session>;
}

/** An opened model. */
export interface Session {
  /** @returns one logit per row */
  run(input: BatchInput): Promise<Float32Array>;
  /** Bytes of keys and values that it keeps of prefixes; no more than `LaneModel.prefixBytes`. */
  readonly prefixBytes: number;
  close(): Promise<void>;
}

/** A runtime as it was found on this machine, as plain data that can travel to another process. */
export interface FoundRuntime<Kind extends string = string> {
  readonly kind: Kind;
  /** Folder of the libraries that lanes load; undefined if they come with the package. */
  readonly libraryDir?: string | undefined;
  /** True if products are to be computed in bf16, from a file of fp32. */
  readonly bf16?: boolean | undefined;
}

export type RuntimeState =
  | { readonly status: "works"; readonly libraryDir?: string | undefined }
  | { readonly status: "absent"; readonly reason: string; readonly remedy: string };

export interface RuntimePlaces {
  /** Folder in which `rankmill setup` put a runtime's libraries, by the runtime's kind. */
  readonly setupDirs: Readonly<Record<string, string>>;
}

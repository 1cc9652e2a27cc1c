import type { InferenceSession } from "onnxruntime-node";
import type { Precision } from "../../core/precision.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A kind of processor that lanes run the model on. It says what the rest of the program must know of
 * it, so that nothing else asks for its name. A runtime (`runtime/runtime.ts`) is another thing: one
 * runtime drives several devices.
 *
 * Each device has a file or a folder here and a line in `registry.ts`, and passes
 * `test/conformance/device.suite.ts`.
 */
export interface Device {
  /** Word of the command line's `--device`, and part of the scope of cached scores. */
  readonly kind: string;
  /** Name in messages. */
  readonly name: string;
  readonly memory: SharedMemory | OwnMemory;
  /** True if batches exist under which no bit of a score depends on its batch-mates. */
  readonly keepsBits: boolean;
  /** True if lanes load prepared graphs, which hold the CPU's own kernels and weights. */
  readonly loadsPrepared: boolean;
  /** Precisions to look for if the operator names none, best first. */
  readonly precisions: readonly Precision[];
  /** Precisions that the device has no kernels for. */
  readonly lackedPrecisions: readonly Precision[];
  /** Settings of a session of ONNX Runtime. */
  readonly onnxRuntime: OnnxRuntimeSettings;
  /** Environment in which a lane finds the device's libraries. */
  readonly laneEnv: (env: Environment, found: FoundDevice) => Environment;
  /** True if a failure with this text means that memory ran out, the device's or the host's. */
  readonly saysOutOfMemory: (text: string) => boolean;
  /**
   * Failure after which a lane's process can never work again, out of the text of an error.
   *
   * @returns undefined if the process may go on
   */
  readonly whatBroke: (text: string) => string | undefined;
  /** Search for the device on this machine; never throws for what is missing. */
  readonly find: (places: DevicePlaces) => Promise<DeviceState>;
}

/** Weights and activations take the host's memory: the plan divides its limit among the lanes. */
export interface SharedMemory {
  readonly kind: "shared";
}

/**
 * Each lane has a card's memory, which nothing tells the size of: the plan begins with what such cards
 * are commonly given, and learns the rest by running out of it.
 */
export interface OwnMemory {
  readonly kind: "own";
  /** Bytes that driver and libraries take of a lane's memory on the host. */
  readonly hostBytes: number;
  /** Most that opening takes on the host, in sizes of the model's file. */
  readonly openFactor: number;
  readonly maxBatchTokens: number;
  readonly maxBatchSize: number;
  /** Batches per message, so that a card works while the answer and the next message travel. */
  readonly messageBatches: number;
  /** Pairs that are planned at once: more to choose from makes fuller batches. */
  readonly planAheadPairs: number;
}

export interface OnnxRuntimeSettings {
  /** @param card index among the cards that the process sees */
  readonly provider: (card: number) => InferenceSession.ExecutionProviderConfig;
  /** Optimisers of the graph that make it slower on this device. */
  readonly slowOptimizers?: string;
}

/** A device as it was found on this machine, as plain data that can travel to another process. */
export interface FoundDevice<Kind extends string = string> {
  readonly kind: Kind;
  /** Cards that processes of this one see; undefined if lanes share the cores. */
  readonly cards?: number | undefined;
  /** Folder of the libraries that lanes load; undefined if the runtime finds them itself. */
  readonly libraryDir?: string | undefined;
}

export type DeviceState =
  | { readonly status: "works"; readonly found: Omit<FoundDevice, "kind"> }
  /** `absent`: the machine has no such device. `unusable`: it has one, and something else is missing or fails. */
  | { readonly status: "absent" | "unusable"; readonly reason: string; readonly remedy: string };

export interface DevicePlaces {
  readonly env: Environment;
  /** Folder in which `rankmill setup` put a device's libraries, by the device's kind. */
  readonly setupDirs: Readonly<Record<string, string>>;
}

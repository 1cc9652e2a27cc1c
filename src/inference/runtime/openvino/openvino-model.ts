import type { Pointer } from "koffi";
import { openVinoReason } from "./openvino-failure.js";
import type { OpenVino, Out, Property, WrittenShape } from "./openvino-library.js";

const DEVICE = "CPU";

export type Numbers = BigInt64Array | Int32Array | Float32Array;

export interface CompileOptions {
  readonly onnxPath: string;
  readonly properties: readonly Property[];
}

/** A failure of OpenVINO, in its own words. */
export class OpenVinoError extends Error {}

/** A model that OpenVINO compiled for the CPU, with the one request that runs it. Owns what is native of both. */
export class OpenVinoModel {
  readonly #library: OpenVino;
  readonly #core: Pointer;
  readonly #compiled: Pointer;
  readonly #request: Pointer;
  /** OpenVINO reads and writes this memory itself: it must live as long as it is bound. */
  readonly #bound = new Map<string, Numbers>();

  private constructor(library: OpenVino, core: Pointer, compiled: Pointer, request: Pointer) {
    this.#library = library;
    this.#core = core;
    this.#compiled = compiled;
    this.#request = request;
  }

  /**
   * Compiles on a thread of its own.
   *
   * @throws OpenVinoError
   */
  static async compile(library: OpenVino, options: CompileOptions): Promise<OpenVinoModel> {
    const { onnxPath, properties } = options;
    const core = made(library, (out) => library.coreCreate(out));
    try {
      const out: Out = [null];
      const status = await new Promise<number>((resolve, reject) => {
        library.compile.async(core, onnxPath, DEVICE, properties.length, properties, out, settle);
        function settle(error: Error | null, result: number): void {
          if (error === null) resolve(result);
          else reject(error);
        }
      });
      const compiled = made(library, () => status, out);
      try {
        const request = made(library, (place) => library.requestCreate(compiled, place));
        return new OpenVinoModel(library, core, compiled, request);
      } catch (error) {
        library.compiledFree(compiled);
        throw error;
      }
    } catch (error) {
      library.coreFree(core);
      throw error;
    }
  }

  /** A fact of the compiled model, such as the precision that products are really computed in. */
  property(key: string): string {
    return textOf(this.#library, (out) => this.#library.compiledProperty(this.#compiled, key, out));
  }

  /** The type of an input's numbers, as `ov_element_type_e` has it. */
  inputType(name: string): number {
    const library = this.#library;
    const port = made(library, (out) => library.inputByName(this.#compiled, name, out));
    try {
      const type: [number] = [0];
      check(library, library.elementType(port, type));
      return type[0];
    } finally {
      library.portFree(port);
    }
  }

  /** Binds an input or an output to memory of the caller, until another is bound to it. It is not copied. */
  bind(name: string, type: number, memory: Numbers, shape: readonly number[]): void {
    const library = this.#library;
    const dims = BigInt64Array.from(shape, BigInt);
    const tensor = made(library, (out) =>
      library.tensorOver(type, { rank: shape.length, dims }, memory, out),
    );
    try {
      check(library, library.setTensor(this.#request, name, tensor));
      this.#bound.set(name, memory);
    } finally {
      // The request has it now.
      library.tensorFree(tensor);
    }
  }

  /** Runs the model on a thread of its own: this one goes on meanwhile. */
  async run(): Promise<void> {
    const status = await new Promise<number>((resolve, reject) => {
      this.#library.infer.async(this.#request, (error, result) => {
        if (error === null) resolve(result);
        else reject(error);
      });
    });
    check(this.#library, status);
  }

  /** The kind of an output, as the last run made it: the type of its numbers, and its dimensions. */
  outputKind(name: string): { readonly type: number; readonly shape: readonly number[] } {
    const library = this.#library;
    const tensor = made(library, (out) => library.getTensor(this.#request, name, out));
    try {
      const type: [number] = [0];
      check(library, library.tensorType(tensor, type));
      return { type: type[0], shape: shapeOf(library, tensor) };
    } finally {
      library.tensorFree(tensor);
    }
  }

  /** Nothing may be run any more, and nothing may be running. */
  close(): void {
    this.#library.requestFree(this.#request);
    this.#library.compiledFree(this.#compiled);
    this.#library.coreFree(this.#core);
  }
}

function shapeOf(library: OpenVino, tensor: Pointer): number[] {
  const out: [WrittenShape | null] = [null];
  check(library, library.tensorShape(tensor, out));
  const [shape] = out;
  if (shape === null) throw new OpenVinoError("it gave no shape");
  try {
    const { rank, dims } = shape;
    if (rank === 0 || dims === null) return [];
    const bytes = rank * BigInt64Array.BYTES_PER_ELEMENT;
    return Array.from(new BigInt64Array(library.view(dims, bytes)), Number);
  } finally {
    library.shapeFree(shape);
  }
}

function textOf(library: OpenVino, call: (out: Out) => number): string {
  const text = made(library, call);
  try {
    return library.textAt(text);
  } finally {
    library.textFree(text);
  }
}

function made(library: OpenVino, call: (out: Out) => number, out: Out = [null]): Pointer {
  check(library, call(out));
  const [pointer] = out;
  if (pointer === null) throw new OpenVinoError("it gave nothing, and no reason");
  return pointer;
}

function check(library: OpenVino, status: number): void {
  if (status !== 0) throw new OpenVinoError(openVinoReason(library.lastError(), status));
}

import type { Pointer } from "koffi";
import { openVinoReason } from "./openvino-failure.js";
import type { OpenVino, Out, Property } from "./openvino-library.js";

const DEVICE = "CPU";

/** A NaN that no computation gives: what stands in an output that was read. */
const MARK = 0x7fd3_a5c1;
const MARK_BYTES = 4;
/** Seen under a limit of the address space: the call succeeds, and the output is that of the run before. */
const NOT_RUN =
  "OpenVINO said that it ran the batch and wrote no output: most likely it ran out of memory";

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

  /**
   * Gives an input its numbers. They are not copied: the array must stay as it is until the run is over.
   *
   * @returns what must be released after the run
   */
  feed(
    name: string,
    type: number,
    values: BigInt64Array | Int32Array,
    shape: readonly number[],
  ): Pointer {
    const library = this.#library;
    const dims = BigInt64Array.from(shape, BigInt);
    const tensor = made(library, (out) =>
      library.tensorOver(type, { rank: shape.length, dims }, values, out),
    );
    try {
      check(library, library.setTensor(this.#request, name, tensor));
      return tensor;
    } catch (error) {
      library.tensorFree(tensor);
      throw error;
    }
  }

  release(tensor: Pointer): void {
    this.#library.tensorFree(tensor);
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

  /**
   * The output of the last run. What is read is marked, so that it cannot be taken for the output of a later run.
   *
   * @returns a copy of its bytes, and the type of its numbers
   * @throws OpenVinoError if nothing has written to it since it was last read
   */
  output(name: string): { readonly type: number; readonly bytes: ArrayBuffer } {
    const library = this.#library;
    const tensor = made(library, (out) => library.getTensor(this.#request, name, out));
    try {
      const type: [number] = [0];
      check(library, library.tensorType(tensor, type));
      const count: [number] = [0];
      check(library, library.tensorSize(tensor, count));
      const bytes = count[0] * MARK_BYTES;
      if (bytes === 0) return { type: type[0], bytes: new ArrayBuffer(0) };
      const data = made(library, (out) => library.tensorData(tensor, out));
      const memory = library.view(data, bytes);
      const copy = memory.slice(0);
      if (new Uint32Array(copy).includes(MARK)) throw new OpenVinoError(NOT_RUN);
      new Uint32Array(memory).fill(MARK);
      return { type: type[0], bytes: copy };
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

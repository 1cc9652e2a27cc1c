import type koffi from "koffi";
import type { Library, NativeFunction, Pointer } from "koffi";
import { RankmillError } from "../../../core/errors.js";
import { installAdvice } from "../../../platform/install-advice.js";

/** A struct of a key and its value, both texts. */
export interface Property {
  readonly key: string;
  readonly value: string;
}

interface Shape {
  readonly rank: number;
  readonly dims: BigInt64Array;
}

/** A shape that a native function has made; it is to be freed. */
export interface WrittenShape {
  readonly rank: number;
  readonly dims: Pointer | null;
}

/** A place that a native function writes one address to. */
export type Out = [Pointer | null];

type Status = number;
type Call<Args extends readonly unknown[], Result = Status> = NativeFunction<Args, Result>;

/** The functions of OpenVINO's C library that are used here, by their names without `ov_`. */
export interface OpenVino {
  readonly coreCreate: Call<[core: Out]>;
  readonly coreFree: Call<[core: Pointer], void>;
  readonly compile: Call<
    [
      core: Pointer,
      path: string,
      device: string,
      count: number,
      properties: readonly Property[],
      compiled: Out,
    ]
  >;
  readonly compiledFree: Call<[compiled: Pointer], void>;
  readonly compiledProperty: Call<[compiled: Pointer, key: string, value: Out]>;
  readonly inputByName: Call<[compiled: Pointer, name: string, port: Out]>;
  readonly elementType: Call<[port: Pointer, type: [number]]>;
  readonly portFree: Call<[port: Pointer], void>;
  readonly requestCreate: Call<[compiled: Pointer, request: Out]>;
  readonly requestFree: Call<[request: Pointer], void>;
  readonly setTensor: Call<[request: Pointer, name: string, tensor: Pointer]>;
  readonly getTensor: Call<[request: Pointer, name: string, tensor: Out]>;
  readonly infer: Call<[request: Pointer]>;
  readonly tensorOver: Call<[type: number, shape: Shape, memory: ArrayBufferView, tensor: Out]>;
  readonly tensorType: Call<[tensor: Pointer, type: [number]]>;
  readonly tensorShape: Call<[tensor: Pointer, shape: [WrittenShape | null]]>;
  readonly shapeFree: Call<[shape: WrittenShape], void>;
  readonly tensorFree: Call<[tensor: Pointer], void>;
  readonly textFree: Call<[text: Pointer], void>;
  readonly lastError: Call<[], string | null>;
  /** The memory at an address; valid as long as what owns it. */
  readonly view: (pointer: Pointer, bytes: number) => ArrayBuffer;
  readonly textAt: (pointer: Pointer) => string;
  /** Lets go of pages that are mapped from a file to be read; they are read again when they are needed. */
  readonly letGo: (start: Pointer, bytes: number) => void;
}

/** Values of `ov_element_type_e`. */
export const ELEMENT = { float32: 4, int32: 9, int64: 10 } as const;

const loaded = new Map<string, OpenVino>();

/**
 * Loads OpenVINO's C library into this process.
 *
 * @param path of `libopenvino_c`, beside which it finds the others
 * @throws RankmillError `missing_dependency`
 */
export async function loadOpenVino(path: string): Promise<OpenVino> {
  const known = loaded.get(path);
  if (known !== undefined) return known;
  const ffi = await loadKoffi();
  let opened: Library;
  try {
    opened = ffi.load(path);
  } catch (error) {
    throw notLoaded(error instanceof Error ? error.message : String(error), error);
  }
  if (loaded.size === 0) {
    ffi.struct("ov_shape_t", { rank: "int64_t", dims: "int64_t *" });
    ffi.struct("ov_property_t", { key: "const char *", value: "const char *" });
  }
  const library = { ...declare(ffi, opened), letGo: declareLetGo(ffi) };
  loaded.set(path, library);
  return library;
}

/** @param said the loader's words */
export function notLoaded(said: string, cause: unknown): RankmillError {
  return new RankmillError(
    "missing_dependency",
    `OpenVINO cannot be loaded (${said}): run "rankmill setup openvino" again`,
    { cause },
  );
}

async function loadKoffi(): Promise<typeof koffi> {
  try {
    return (await import("koffi")).default;
  } catch (error) {
    throw new RankmillError(
      "missing_dependency",
      `OpenVINO is called through koffi, which is not installed: ${installAdvice("koffi")}`,
      { cause: error },
    );
  }
}

/** Of `madvise(2)`. */
const MADV_DONTNEED = 4;

function declareLetGo(ffi: typeof koffi): OpenVino["letGo"] {
  // OpenVINO's libraries need glibc, so it is there.
  const madvise: Call<[start: Pointer, bytes: number, advice: number]> = ffi
    .load("libc.so.6")
    .func("int madvise(void *start, size_t bytes, int advice)");
  return (start, bytes) => {
    // An advice: nothing is wrong if it is not taken.
    madvise(start, bytes, MADV_DONTNEED);
  };
}

function declare(ffi: typeof koffi, c: Library): Omit<OpenVino, "letGo"> {
  return {
    coreCreate: c.func("int ov_core_create(_Out_ void **core)"),
    coreFree: c.func("void ov_core_free(void *core)"),
    compile: c.func(
      "int ov_core_compile_model_from_file_props(void *core, const char *path, const char *device, size_t count, const ov_property_t *properties, _Out_ void **compiled)",
    ),
    compiledFree: c.func("void ov_compiled_model_free(void *compiled)"),
    compiledProperty: c.func(
      "int ov_compiled_model_get_property(void *compiled, const char *key, _Out_ void **value)",
    ),
    inputByName: c.func(
      "int ov_compiled_model_input_by_name(void *compiled, const char *name, _Out_ void **port)",
    ),
    elementType: c.func("int ov_port_get_element_type(void *port, _Out_ int *type)"),
    portFree: c.func("void ov_output_const_port_free(void *port)"),
    requestCreate: c.func(
      "int ov_compiled_model_create_infer_request(void *compiled, _Out_ void **request)",
    ),
    requestFree: c.func("void ov_infer_request_free(void *request)"),
    setTensor: c.func(
      "int ov_infer_request_set_tensor(void *request, const char *name, void *tensor)",
    ),
    getTensor: c.func(
      "int ov_infer_request_get_tensor(void *request, const char *name, _Out_ void **tensor)",
    ),
    infer: c.func("int ov_infer_request_infer(void *request)"),
    tensorOver: c.func(
      "int ov_tensor_create_from_host_ptr(int type, ov_shape_t shape, void *memory, _Out_ void **tensor)",
    ),
    tensorType: c.func("int ov_tensor_get_element_type(void *tensor, _Out_ int *type)"),
    tensorShape: c.func("int ov_tensor_get_shape(void *tensor, _Out_ ov_shape_t *shape)"),
    shapeFree: c.func("void ov_shape_free(ov_shape_t *shape)"),
    tensorFree: c.func("void ov_tensor_free(void *tensor)"),
    textFree: c.func("void ov_free(void *text)"),
    lastError: c.func("const char *ov_get_last_err_msg()"),
    view: (pointer, bytes) => ffi.view(pointer, bytes),
    textAt: (pointer) => ffi.decode.string(pointer),
  };
}

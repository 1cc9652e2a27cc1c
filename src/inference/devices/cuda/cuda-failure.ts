import { saysOutOfMemory } from "../../runtime/out-of-memory.js";

/** Words in which the driver, cuBLAS and cuDNN say that a card's memory ran out: each allocates for itself. */
const MEMORY_SIGNS = [
  /CUDA failure 2:/,
  /CUDA_ERROR_OUT_OF_MEMORY/,
  // Its name or its number: the words beside the number changed between versions.
  /CUBLAS_STATUS_ALLOC_FAILED/,
  /CUBLAS failure 3:/,
  /CUDNN_STATUS_ALLOC_FAILED/,
] as const;

/** True if a card's memory ran out, or the host's. */
export function cudaSaysOutOfMemory(text: string): boolean {
  return saysOutOfMemory(text) || MEMORY_SIGNS.some((sign) => sign.test(text));
}

/**
 * Words that say that a lane's CUDA context is broken. After an illegal access, a failed assertion, an ECC
 * error or a launch that timed out, every later call of the same process fails too, with the same or
 * another number: nothing but a new process helps. CUDA's numbers grow with its versions, so whatever
 * ONNX Runtime reports as a failure of CUDA or its libraries counts, except for memory that ran out,
 * which leaves the context whole.
 */
const SIGNS = [
  // ONNX Runtime's own form: "CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; …".
  /\b(CUDA|CUBLAS|CURAND|CUDNN|CUFFT) failure -?\d+:/,
  // Its older form, and what the driver says by itself.
  /\b(CUDA|CUBLAS|CUDNN) error executing\b/,
  /an illegal (memory access|instruction) was encountered/,
  /device-side assert/,
  /unspecified launch failure/,
  /uncorrectable (ECC|NVLink) error/,
] as const;

/** True if a lane's process can never work again after a failure with this text. */
export function saysDeviceBroken(text: string): boolean {
  return !cudaSaysOutOfMemory(text) && SIGNS.some((sign) => sign.test(text));
}

/** The failure itself out of a text that also holds file names of a build machine, expressions and a host. */
export function deviceFailureOf(text: string): string {
  const failure = /\b\w+ failure -?\d+: [^;\n]+?(?= *;|\n|$)/.exec(text)?.[0];
  return failure ?? text.split("\n", 1)[0] ?? text;
}

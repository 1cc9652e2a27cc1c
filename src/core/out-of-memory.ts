/**
 * How ONNX Runtime, CUDA and the C++ library say that memory ran out. Matched against the message
 * of a failed run, or the last words of a lane that died.
 */
const SIGNS = [
  // CPU: the arena, plain new, and mmap.
  /Failed to allocate memory/i,
  /std::bad_alloc/,
  /Cannot allocate memory/i,
  /Available memory of \d+ is smaller than/i,
  // CUDA: the arena, the driver, and cuBLAS and cuDNN, which allocate for themselves.
  /BFCArena/,
  /out of memory/i,
  /CUDA_ERROR_OUT_OF_MEMORY/,
  /CUBLAS_STATUS_ALLOC_FAILED/,
  /CUDNN_STATUS_ALLOC_FAILED/,
] as const;

export function saysOutOfMemory(text: string): boolean {
  return SIGNS.some((sign) => sign.test(text));
}

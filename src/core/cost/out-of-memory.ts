/**
 * How ONNX Runtime, CUDA and the C++ library say that memory ran out. Matched against the message
 * of a failed batch, or the last words of a lane that died.
 */
const SIGNS = [
  // CPU: the arena, plain new, and mmap.
  /Failed to allocate memory/i,
  /std::bad_alloc/,
  /Cannot allocate memory/i,
  /Available memory of \d+ is smaller than/i,
  // CUDA: the arena, the driver, and cuBLAS and cuDNN, which allocate for themselves.
  /BFCArena::AllocateRawInternal/,
  /ran out of memory/i,
  /CUDA failure 2:/,
  /\bout of memory\b/i,
  /CUDA_ERROR_OUT_OF_MEMORY/,
  // Its name or its number: the words beside the number changed between versions.
  /CUBLAS_STATUS_ALLOC_FAILED/,
  /CUBLAS failure 3:/,
  /CUDNN_STATUS_ALLOC_FAILED/,
] as const;

export function saysOutOfMemory(text: string): boolean {
  return SIGNS.some((sign) => sign.test(text));
}

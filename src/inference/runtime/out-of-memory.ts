/**
 * Words in which ONNX Runtime, OpenVINO and the C++ library say that the host's memory ran out. They are looked
 * for in the message of a failed batch and in the last words of a lane that died.
 */
const SIGNS = [
  // The arena, plain new, and mmap.
  /Failed to allocate memory/i,
  /BFCArena::AllocateRawInternal/,
  /std::bad_alloc/,
  /Cannot allocate memory/i,
  /Available memory of \d+ is smaller than/i,
  // OpenVINO, and oneDNN below it.
  /Could not allocate memory/i,
  /can't alloc\b/i,
  /\bout of memory\b/i,
  /ran out of memory/i,
] as const;

export function saysOutOfMemory(text: string): boolean {
  return SIGNS.some((sign) => sign.test(text));
}

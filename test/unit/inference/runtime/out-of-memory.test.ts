import { describe, expect, it } from "vitest";
import { saysOutOfMemory } from "../../../../src/inference/runtime/out-of-memory.js";

describe("memory that ran out", () => {
  it.each([
    "Non-zero status code returned while running MatMul node. onnxruntime::BFCArena::AllocateRawInternal(size_t) Failed to allocate memory for requested buffer of size 4294967296",
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "BFC Arena ran out of memory trying to allocate 268435456",
    "BFCArena: Available memory of 10 is smaller than requested bytes of 20",
  ])("is recognised: %s", (text) => {
    expect(saysOutOfMemory(text)).toBe(true);
  });

  it.each([
    "killed by SIGKILL",
    "Invalid rank for input: input_ids",
    "hung: no answer in 30000 ms",
  ])("is not seen in: %s", (text) => {
    expect(saysOutOfMemory(text)).toBe(false);
  });
});

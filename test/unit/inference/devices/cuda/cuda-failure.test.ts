import { describe, expect, it } from "vitest";
import {
  cudaSaysOutOfMemory,
  deviceFailureOf,
  saysDeviceBroken,
} from "../../../../../src/inference/devices/cuda/cuda-failure.js";

/** A failure as ONNX Runtime 1.30 writes it; the words are those that libcudart 13.0 has for the number. */
function cudaFailure(code: number, words: string): string {
  return `/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, const char*, SUCCTYPE, const char*, const char*, int) [with ERRTYPE = cudaError; bool THRW = true; SUCCTYPE = cudaError; std::conditional_t<THRW, void, common::Status> = void] CUDA failure ${code}: ${words} ; GPU=0 ; hostname=worker-1 ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; line=352 ; expr=cudaStreamSynchronize(static_cast<cudaStream_t>(stream_)); \n\n`;
}

function cublasFailure(code: number, name: string): string {
  return `Non-zero status code returned while running Gemm node. Name:'Gemm_568' Status Message: CUBLAS failure ${code}: ${name} ; GPU=0 ; hostname=worker-1 ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/math/gemm.cc ; line=121 ; expr=cublasGemmHelper( GetCublasHandle(ctx), CUBLAS_OP_N, CUBLAS_OP_N, N, M, 1, &one);`;
}

const OUT_OF_MEMORY: readonly (readonly [string, string])[] = [
  ["the driver", cudaFailure(2, "out of memory")],
  [
    "the arena, 1.15 and later",
    "Non-zero status code returned while running Mul node. Name:'Mul_8702' Status Message: /workspace/onnxruntime/onnxruntime/core/framework/bfc_arena.cc:368 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*, bool, onnxruntime::WaitNotificationFn) Failed to allocate memory for requested buffer of size 2830172160",
  ],
  [
    "the arena, 1.9",
    "Non-zero status code returned while running FusedMatMul node. Name:'MatMul_92_FusedMatMulAndScale' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:331 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) Failed to allocate memory for requested buffer of size 8388608000",
  ],
  [
    "the arena under its limit",
    "/onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:359 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Available memory of 1048576 is smaller than requested bytes of 16777216",
  ],
  ["an arena of another device", "BFC Arena ran out of memory trying to allocate 268435456"],
  ["cuBLAS by name", cublasFailure(3, "CUBLAS_STATUS_ALLOC_FAILED")],
  ["cuBLAS in words, as 13.0 has them", cublasFailure(3, "the resource allocation failed")],
  ["the host", "std::bad_alloc"],
];

const BROKEN: readonly (readonly [string, string])[] = [
  ...(
    [
      [214, "uncorrectable ECC error encountered"],
      [220, "uncorrectable NVLink error detected during the execution"],
      [400, "invalid resource handle"],
      [700, "an illegal memory access was encountered"],
      [702, "the launch timed out and was terminated"],
      [709, "context is destroyed"],
      [710, "device-side assert triggered"],
      [714, "hardware stack error"],
      [715, "an illegal instruction was encountered"],
      [716, "misaligned address"],
      [718, "invalid program counter"],
      [719, "unspecified launch failure"],
      [999, "unknown error"],
    ] as const
  ).map(([code, words]) => [`CUDA ${code}`, cudaFailure(code, words)] as const),
  ["cuBLAS 13", cublasFailure(13, "CUBLAS_STATUS_EXECUTION_FAILED")],
  ["cuBLAS 1", cublasFailure(1, "CUBLAS_STATUS_NOT_INITIALIZED")],
  ["cuBLAS 14 in words", cublasFailure(14, "an internal operation failed")],
  [
    "ONNX Runtime 1.3",
    "CUDA error executing cudaMemcpy(dst_data, src_data, bytes, cudaMemcpyDeviceToHost)",
  ],
  ["a process that died of it", "terminate called: an illegal memory access was encountered"],
];

const NEITHER = [
  "Non-zero status code returned while running Gather node. Name:'/embeddings/Gather' Status Message: indices element out of data bounds, idx=600 must be within the inclusive range [-600,599]",
  "Got invalid dimensions for input: input_ids for the following indices",
  "the model cannot be used: it gave 2 numbers for 1 pairs; a reranker gives one per pair",
];

describe("the message of a failed session", () => {
  it.each(OUT_OF_MEMORY)("tells that memory ran out: %s", (_who, text) => {
    expect(cudaSaysOutOfMemory(text)).toBe(true);
    expect(saysDeviceBroken(text)).toBe(false);
  });

  it.each(BROKEN)("tells that the context is broken: %s", (_who, text) => {
    expect(saysDeviceBroken(text)).toBe(true);
    expect(cudaSaysOutOfMemory(text)).toBe(false);
  });

  it.each(NEITHER)("tells neither: %s", (text) => {
    expect(saysDeviceBroken(text)).toBe(false);
    expect(cudaSaysOutOfMemory(text)).toBe(false);
  });

  it("is cut to the failure itself", () => {
    expect(deviceFailureOf(cudaFailure(719, "unspecified launch failure"))).toBe(
      "CUDA failure 719: unspecified launch failure",
    );
    expect(deviceFailureOf(cublasFailure(13, "CUBLAS_STATUS_EXECUTION_FAILED"))).toBe(
      "CUBLAS failure 13: CUBLAS_STATUS_EXECUTION_FAILED",
    );
    expect(deviceFailureOf("something else\nand more")).toBe("something else");
  });
});

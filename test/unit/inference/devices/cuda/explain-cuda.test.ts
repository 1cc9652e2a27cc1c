import { describe, expect, it } from "vitest";
import { explainCudaFailure } from "../../../../../src/inference/devices/cuda/explain-cuda.js";

/** The error of a process whose folder of libraries lacked `library`: onnxruntime-node 1.30. */
function notLoaded(loading: string, library: string): string {
  return `OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library\n2026-11-21 11:09:55.501884426 [E:onnxruntime:onnxruntime-node, provider_bridge_ort.cc:2146 Create] /onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:1988 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library /cuda/${loading} with error: ${library}: cannot open shared object file: No such file or directory`;
}

const OLD_DRIVER =
  "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:146 std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, const char*, SUCCTYPE, const char*, const char*, int) [with ERRTYPE = cudaError; bool THRW = true; SUCCTYPE = cudaError; std::conditional_t<THRW, void, common::Status> = void] CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=worker-1 ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; line=352 ; expr=cudaSetDevice(info_.device_id); ";

describe("the reason why CUDA cannot be used", () => {
  it.each([
    [
      "no driver",
      notLoaded("libonnxruntime_providers_cuda.so", "libcuda.so.1"),
      /libcuda\.so\.1 is not here/,
      /driver.*--gpus all/,
    ],
    [
      "no library of NVIDIA's",
      notLoaded("libonnxruntime_providers_cuda.so", "libcublasLt.so.13"),
      /CUDA's library libcublasLt\.so\.13 is not here/,
      /rankmill setup cuda --with-libraries/,
    ],
    [
      "no provider",
      notLoaded(
        "libonnxruntime_providers_shared.so",
        "/app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_shared.so",
      ),
      /provider is not here \(no libonnxruntime_providers_shared\.so\)/,
      /"rankmill setup cuda"/,
    ],
    [
      "an old driver",
      OLD_DRIVER,
      /^CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version$/,
      /driver 580 or newer, which CUDA 13 needs/,
    ],
    [
      "a card that hides",
      OLD_DRIVER.replace("35: CUDA driver", "100: no CUDA-capable device is detected ; was"),
      /^CUDA failure 100: no CUDA-capable device is detected$/,
      /CUDA_VISIBLE_DEVICES/,
    ],
    [
      "another version's library",
      "/lib/x86_64-linux-gnu/libcublas.so.13: version `libcublas.so.13' not found (required by /cuda/libonnxruntime_providers_cuda.so)",
      /does not fit/,
      /--with-libraries/,
    ],
    [
      "a full card",
      OLD_DRIVER.replace(/35: [^;]+/, "2: out of memory "),
      /no memory left \(CUDA failure 2: out of memory\)/,
      /nvidia-smi/,
    ],
    ["a crash", "a trial ended with SIGSEGV\n", /a trial ended with SIGSEGV/, /nvidia-smi/],
  ])("names %s, and what to do", (_case, said, reason, remedy) => {
    const trouble = explainCudaFailure(said);
    expect(trouble.reason).toMatch(reason);
    expect(trouble.remedy).toMatch(remedy);
    expect(trouble.reason + trouble.remedy, "one line").not.toContain("\n");
    expect(trouble.reason, "nothing of a build machine").not.toMatch(/onnxruntime_src|hostname/);
  });
});

/**
 * The files that CUDA needs beside onnxruntime-node, all of them pinned: ONNX Runtime's own CUDA provider, from its
 * publisher's wheel of the same version and commit, and the libraries of NVIDIA's that the provider
 * names (`readelf -d`), from NVIDIA's own wheels. `docker/pin-wheels.py` prints these pins.
 */

import type { NativeWheel } from "../native/native-wheel.js";

export interface CudaWheel extends NativeWheel {
  /** `libraries` are not needed if the machine has CUDA of the same major version. */
  readonly part: "provider" | "libraries";
}

/** The version of onnxruntime-node that the provider was built with: another does not load it. */
export const CUDA_RUNTIME_VERSION = "1.30.0";
/** Major version of CUDA that the provider is linked against. */
export const CUDA_MAJOR = 13;
/** NVIDIA's driver that CUDA 13 asks for. */
export const LEAST_DRIVER = "580";

/** The provider's file: where it lies, onnxruntime-node can find it. */
export const PROVIDER_NAME = "libonnxruntime_providers_cuda.so";
/** The runtime itself, which looks for providers beside its own file. */
export const RUNTIME_NAME = "libonnxruntime.so.1";

export const CUDA_WHEELS: readonly CudaWheel[] = [
  {
    project: "onnxruntime-gpu",
    version: "1.30.0",
    name: "onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl",
    bytes: 246_685_715,
    sha256: "6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1",
    part: "provider",
    files: [
      {
        name: "licenses/onnxruntime-gpu-LICENSE",
        offset: 91,
        compressedBytes: 626,
        bytes: 1_073,
        sha256: "2f07c72751aed99790b8a4869cf2311df85a860b22ded05fa22803587a48922c",
      },
      {
        name: "licenses/onnxruntime-gpu-ThirdPartyNotices.txt",
        offset: 2_764,
        compressedBytes: 32_702,
        bytes: 338_088,
        sha256: "143764b952fdb1a7c69ce653bfba74a7744d6a8a573bfb73e235fba356c83de3",
      },
      {
        name: "libonnxruntime_providers_cuda.so",
        offset: 11_141_689,
        compressedBytes: 222_594_211,
        bytes: 272_049_904,
        sha256: "35da2e7ed0dd0d1aec5cdb16ce11a51d06c0c48cf62d1b1c9332946a4fae14fc",
      },
      {
        name: "libonnxruntime_providers_shared.so",
        offset: 233_735_981,
        compressedBytes: 1_680,
        bytes: 14_632,
        sha256: "086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d",
      },
    ],
  },
  {
    project: "nvidia-cublas",
    version: "13.1.0.3",
    name: "nvidia_cublas-13.1.0.3-py3-none-manylinux_2_27_x86_64.whl",
    bytes: 423_133_236,
    sha256: "ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171",
    part: "libraries",
    files: [
      {
        name: "libcublas.so.13",
        offset: 49_441,
        compressedBytes: 48_006_370,
        bytes: 54_177_976,
        sha256: "e70f38efabe986acd5eb683497c62f0f1730a6176ee291d9d24c6e339d1fbf86",
      },
      {
        name: "libcublasLt.so.13",
        offset: 48_055_874,
        compressedBytes: 374_847_604,
        bytes: 541_595_600,
        sha256: "656298c804f5adbb0df930545c17911b9584ab4e5101c0eeb65d1fe881d880f8",
      },
      {
        name: "licenses/nvidia-cublas-License.txt",
        offset: 423_116_271,
        compressedBytes: 14_143,
        bytes: 59_262,
        sha256: "ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd",
      },
    ],
  },
  {
    project: "nvidia-cuda-runtime",
    version: "13.0.96",
    name: "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    bytes: 2_243_632,
    sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
    part: "libraries",
    files: [
      {
        name: "libcudart.so.13",
        offset: 1_660_925,
        compressedBytes: 203_707,
        bytes: 704_288,
        sha256: "96c42e418cec19054186b9429c321603cc190bf26a18104e19408117a2a817b0",
      },
      {
        name: "licenses/nvidia-cuda-runtime-License.txt",
        offset: 2_215_275,
        compressedBytes: 14_143,
        bytes: 59_262,
        sha256: "ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd",
      },
    ],
  },
  {
    project: "nvidia-curand",
    version: "10.4.0.35",
    name: "nvidia_curand-10.4.0.35-py3-none-manylinux_2_27_x86_64.whl",
    bytes: 59_544_258,
    sha256: "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc",
    part: "libraries",
    files: [
      {
        name: "libcurand.so.10",
        offset: 492_153,
        compressedBytes: 59_033_800,
        bytes: 132_698_328,
        sha256: "b53732a66b302b11926e00f762e2c2ba67058347ff93cf4ae709de45e93e06da",
      },
      {
        name: "licenses/nvidia-curand-License.txt",
        offset: 59_526_037,
        compressedBytes: 14_143,
        bytes: 59_262,
        sha256: "ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd",
      },
    ],
  },
];

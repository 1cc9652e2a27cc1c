import { CPU } from "../../src/inference/devices/cpu.js";
import { CUDA } from "../../src/inference/devices/cuda/cuda.js";
import { testDevice } from "./device.suite.js";

testDevice(CPU, {
  outOfMemory: [
    "bfc_arena.cc:368 Failed to allocate memory for requested buffer of size 939524096",
  ],
  broken: [],
});

testDevice(CUDA, {
  outOfMemory: [
    "CUDA failure 2: out of memory ; GPU=0 ; hostname=worker-1",
    "CUBLAS failure 3: the resource allocation failed ; GPU=0",
  ],
  broken: [
    [
      "cuda_call.cc:154 CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; hostname=worker-1 ; expr=cudaStreamSynchronize(stream);",
      "CUDA failure 700: an illegal memory access was encountered",
    ],
  ],
});

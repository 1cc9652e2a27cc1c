import { describe, expect, it } from "vitest";
import {
  decideRuntime,
  wantedRuntime,
  type RuntimeQuestion,
} from "../../../../src/inference/runtime/decide-runtime.js";

const BF16_CPU = { arch: "x64", flags: ["avx512_bf16", "avx512f"], model: "a CPU" };
const OLD_CPU = { arch: "x64", flags: ["avx2"], model: "a CPU" };
const FOUND = { status: "works", libraryDir: "/openvino" } as const;

function decide(more: Partial<RuntimeQuestion>): unknown {
  return decideRuntime({
    kind: "openvino",
    precision: "fp32",
    file: { precision: "fp32" },
    cpu: OLD_CPU,
    state: FOUND,
    ...more,
  });
}

describe("the runtime that a choice means", () => {
  it("is ONNX Runtime, unless the precision is computed by another", () => {
    expect(wantedRuntime("auto", undefined)).toBe("onnxruntime");
    expect(wantedRuntime("auto", "int8")).toBe("onnxruntime");
    expect(wantedRuntime("auto", "bf16")).toBe("openvino");
    expect(wantedRuntime("openvino", undefined)).toBe("openvino");
  });

  it("is refused if it does not compute the precision, with the one that does", () => {
    expect(() => wantedRuntime("onnxruntime", "bf16")).toThrow(
      "runtime onnxruntime with precision bf16: only OpenVINO computes it; choose runtime openvino or another precision",
    );
  });
});

describe("the runtime of a worker", () => {
  it("has the folder of its libraries, and computes in what was asked for", () => {
    expect(decide({})).toEqual({ kind: "openvino", libraryDir: "/openvino", bf16: false });
    expect(decide({ precision: "bf16", cpu: BF16_CPU })).toMatchObject({ bf16: true });
    expect(decide({ kind: "onnxruntime" })).toEqual({ kind: "onnxruntime" });
  });

  it("does not compute bf16 on a CPU without it, and says what to choose", () => {
    expect(() => decide({ precision: "bf16" })).toThrow(
      "precision bf16: this CPU has no bf16 (neither AVX512_BF16 nor AMX_BF16), and OpenVINO would compute in fp32 under its name; choose fp32 or int8",
    );
    const arm = { arch: "arm64", flags: ["bf16"], model: "a CPU" };
    expect(() => decide({ precision: "bf16", cpu: arm })).toThrow("on x64 only, this is arm64");
  });

  it("says which command sets it up", () => {
    const state = { status: "absent", reason: "there is none", remedy: "set it up" } as const;
    expect(() => decide({ state })).toThrow("OpenVINO cannot be used: there is none; set it up");
  });

  it("leaves quantised files and shared prefixes to ONNX Runtime", () => {
    expect(() => decide({ precision: "int8", file: { precision: "int8" } })).toThrow(
      "OpenVINO runs fp32 files; leave the int8 one to runtime onnxruntime",
    );
    const file = { precision: "fp32", prefixBytesPerToken: 100 } as const;
    expect(() => decide({ file })).toThrow("what pairs of a query share once");
  });
});

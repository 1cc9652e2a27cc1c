import { describe, expect, it } from "vitest";
import {
  choiceForPrecision,
  decideDevice,
  precisionsFor,
  type CudaState,
} from "../../../src/core/device.js";
import { RankmillError } from "../../../src/core/errors.js";

const works: CudaState = { status: "works", gpus: 2, libraryDir: "/cuda" };
const absent: CudaState = { status: "absent", reason: "no device", remedy: "put one in" };
const unusable: CudaState = {
  status: "unusable",
  reason: "no provider",
  remedy: 'run "rankmill setup cuda"',
};
const cpu = { kind: "cpu" };
const cuda = { kind: "cuda", gpus: 2, libraryDir: "/cuda" };

describe("the device of a worker", () => {
  it("is the CPU where that was asked for, whatever is there", () => {
    expect(decideDevice("cpu", "fail", undefined)).toMatchObject({
      device: cpu,
      unexpected: false,
    });
    expect(decideDevice("cpu", "fail", works)).toMatchObject({ device: cpu });
  });

  it("is CUDA where it works, asked for or found", () => {
    for (const choice of ["auto", "cuda"] as const) {
      expect(decideDevice(choice, "fail", works)).toEqual({
        device: cuda,
        note: "device: CUDA, 2 GPUs",
        unexpected: false,
      });
    }
  });

  it("is the CPU without a GPU, said, and with one that cannot be used, said aloud", () => {
    expect(decideDevice("auto", "fail", absent)).toMatchObject({
      device: cpu,
      note: expect.stringContaining("no NVIDIA device") as string,
      unexpected: false,
    });
    expect(decideDevice("auto", "fail", unusable)).toMatchObject({
      device: cpu,
      note: 'device: CPU, for CUDA cannot be used: no provider; run "rankmill setup cuda"',
      unexpected: true,
    });
  });

  it("is refused in one line where CUDA was asked for in vain, unless the CPU is allowed", () => {
    for (const state of [absent, unusable]) {
      expect(() => decideDevice("cuda", "fail", state)).toThrow(RankmillError);
      expect(decideDevice("cuda", "cpu", state)).toMatchObject({ device: cpu, unexpected: true });
    }
    expect(() => decideDevice("cuda", "fail", unusable)).toThrow(
      /^CUDA cannot be used: no provider; run "rankmill setup cuda"$/,
    );
  });

  it("decides which precision is looked for first; a fallback stays with its queue", () => {
    expect(precisionsFor("auto", { kind: "cpu" })).toEqual(["fp32"]);
    expect(precisionsFor("auto", { ...cuda, kind: "cuda" })).toEqual(["fp16", "fp32"]);
    expect(precisionsFor("cuda", { kind: "cpu" })).toEqual(["fp16", "fp32"]);
  });

  it("is the CPU for a quantised model, and refused where CUDA was asked for", () => {
    expect(choiceForPrecision("auto", "int8")).toBe("cpu");
    expect(choiceForPrecision("auto", "fp16")).toBe("auto");
    expect(choiceForPrecision("auto", undefined)).toBe("auto");
    expect(choiceForPrecision("cpu", "uint8")).toBe("cpu");
    expect(() => choiceForPrecision("cuda", "int8")).toThrow(
      /device cuda with precision int8: .*fp16 or fp32, or device cpu/,
    );
  });
});

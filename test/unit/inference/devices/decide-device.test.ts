import { describe, expect, it } from "vitest";
import { RankmillError } from "../../../../src/core/errors.js";
import {
  decideDevice,
  DEVICE_CHOICES,
  devicesToTry,
  precisionsFor,
  type Looked,
} from "../../../../src/inference/devices/decide-device.js";

const works: Looked = {
  kind: "cuda",
  state: { status: "works", found: { cards: 2, libraryDir: "/cuda" } },
};
const absent: Looked = {
  kind: "cuda",
  state: { status: "absent", reason: "no device", remedy: "put one in" },
};
const unusable: Looked = {
  kind: "cuda",
  state: { status: "unusable", reason: "no provider", remedy: 'run "rankmill setup cuda"' },
};
const cpu = { kind: "cpu" };
const cuda = { kind: "cuda", cards: 2, libraryDir: "/cuda" } as const;

describe("the devices that are looked for", () => {
  it("are the cards if the operator leaves the choice open, and none if the CPU is asked for", () => {
    expect(DEVICE_CHOICES).toEqual(["auto", "cpu", "cuda"]);
    expect(devicesToTry("auto", undefined)).toEqual(["cuda"]);
    expect(devicesToTry("auto", "fp16")).toEqual(["cuda"]);
    expect(devicesToTry("cuda", "fp16")).toEqual(["cuda"]);
    expect(devicesToTry("cpu", "uint8")).toEqual([]);
  });

  it("leave out a card that has no kernels for the precision, which is refused if it was asked for", () => {
    expect(devicesToTry("auto", "int8")).toEqual([]);
    expect(() => devicesToTry("cuda", "int8")).toThrow(
      /device cuda with precision int8: .*fp16 or fp32, or device cpu/,
    );
  });
});

describe("the device of a worker", () => {
  it("is the CPU if nothing else was looked for", () => {
    expect(decideDevice("cpu", "fail", [])).toEqual({
      device: cpu,
      note: "device: CPU",
      unexpected: false,
    });
  });

  it("is the card that works, asked for or found", () => {
    for (const choice of ["auto", "cuda"] as const) {
      expect(decideDevice(choice, "fail", [works])).toEqual({
        device: cuda,
        note: "device: CUDA, 2 GPUs",
        unexpected: false,
      });
    }
    expect(decideDevice("auto", "fail", [unusable, works])).toMatchObject({ device: cuda });
  });

  it("is the CPU without a card, and the reason is logged; louder if a card is there and fails", () => {
    expect(decideDevice("auto", "fail", [absent])).toEqual({
      device: cpu,
      note: "device: CPU: no device",
      unexpected: false,
    });
    expect(decideDevice("auto", "fail", [absent, unusable])).toEqual({
      device: cpu,
      note: 'device: CPU, because CUDA cannot be used: no provider; run "rankmill setup cuda"',
      unexpected: true,
    });
  });

  it("is refused in one line if a card was asked for in vain, unless the CPU is allowed", () => {
    for (const state of [absent, unusable]) {
      expect(() => decideDevice("cuda", "fail", [state])).toThrow(RankmillError);
      expect(decideDevice("cuda", "cpu", [state])).toMatchObject({ device: cpu, unexpected: true });
    }
    expect(() => decideDevice("cuda", "fail", [unusable])).toThrow(
      /^CUDA cannot be used: no provider; run "rankmill setup cuda"$/,
    );
  });

  it("decides which precision comes first; a fallback stays with its queue", () => {
    expect(precisionsFor("auto", { kind: "cpu" })).toEqual(["fp32"]);
    expect(precisionsFor("auto", cuda)).toEqual(["fp16", "fp32"]);
    expect(precisionsFor("cuda", { kind: "cpu" })).toEqual(["fp16", "fp32"]);
  });
});

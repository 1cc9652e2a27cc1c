import { describe, expect, it } from "vitest";
import { PLAIN_HEAD } from "../../../../src/core/heads/head-use.js";
import { preparedKey, type KeyParts } from "../../../../src/inference/prepare/prepare-key.js";

const PARTS: KeyParts = {
  modelDigest: "0123456789abcdef".repeat(4),
  runtime: "1.30.0",
  cpu: { arch: "x64", flags: ["avx2", "fma"], model: "a processor" },
  model: {
    onnxPath: "",
    head: PLAIN_HEAD,
    padId: 0,
    segmentTypeIds: false,
    device: "cpu",
    intraOpThreads: 1,
  },
};

describe("the key of a prepared model", () => {
  it("starts with the model's digest and is a plain folder name", () => {
    expect(preparedKey(PARTS)).toMatch(/^0123456789ab-[0-9a-f]{16}$/);
    expect(preparedKey(PARTS)).toBe(preparedKey(structuredClone(PARTS)));
  });

  it("differs whenever the prepared files could differ", () => {
    const others: Partial<KeyParts>[] = [
      // The readable part is the same: the whole digest counts.
      { modelDigest: `0123456789ab${"f".repeat(52)}` },
      { runtime: "1.30.1" },
      { cpu: { ...PARTS.cpu, arch: "arm64" } },
      { cpu: { ...PARTS.cpu, flags: ["avx2", "avx512f", "fma"] } },
      { model: { ...PARTS.model, exactInt8: true } },
      { form: "rows" },
    ];
    const keys = others.map((other) => preparedKey({ ...PARTS, ...other }));
    expect(new Set([preparedKey(PARTS), ...keys]).size).toBe(others.length + 1);
  });

  it("is the same for machines whose flags are equal, whatever their CPU is called", () => {
    const renamed = { ...PARTS.cpu, model: "another processor" };
    expect(preparedKey({ ...PARTS, cpu: renamed })).toBe(preparedKey(PARTS));
    const unknown = { ...PARTS.cpu, flags: undefined };
    expect(preparedKey({ ...PARTS, cpu: unknown })).not.toBe(
      preparedKey({ ...PARTS, cpu: { ...unknown, model: "another processor" } }),
    );
  });
});

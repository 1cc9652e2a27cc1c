import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import {
  runtimeDir,
  runtimeVersion,
} from "../../../../src/inference/runtime/installed-onnx-runtime.js";

describe("the installed runtime", () => {
  it("is known by its version and its folder without being loaded", async () => {
    const manifest = createRequire(import.meta.url)("onnxruntime-node/package.json") as {
      version: string;
    };
    await expect(runtimeVersion()).resolves.toBe(manifest.version);
    expect(existsSync(runtimeDir())).toBe(true);
  });
});

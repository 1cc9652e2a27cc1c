import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CUDA_RUNTIME_VERSION, CUDA_WHEELS } from "../../../src/models/cuda/cuda-wheels.js";

function read(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), "utf8");
}

describe("the wheels of CUDA", () => {
  it("are the same for the image and for a setup", () => {
    const lines = read("docker/cuda/wheels.txt")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(lines).toEqual(
      CUDA_WHEELS.map(
        ({ project, version, sha256 }) => `${project}==${version} --hash=sha256:${sha256}`,
      ),
    );
  });

  it("hold a provider of the runtime's own version", () => {
    const manifest = JSON.parse(read("package.json")) as {
      optionalDependencies: Record<string, string>;
    };
    expect(manifest.optionalDependencies["onnxruntime-node"]).toBe(CUDA_RUNTIME_VERSION);
    const provider = CUDA_WHEELS.filter(({ part }) => part === "provider");
    expect(provider.map(({ version }) => version)).toEqual([CUDA_RUNTIME_VERSION]);
  });

  it("name files that do not overlap, each within its wheel and below one folder", () => {
    for (const { bytes, files } of CUDA_WHEELS) {
      const spans = files
        .map(({ offset, compressedBytes }) => [offset, offset + compressedBytes] as const)
        .sort(([a], [b]) => a - b);
      for (const [i, [start, end]] of spans.entries()) {
        expect(start).toBeGreaterThan(spans[i - 1]?.[1] ?? 0);
        expect(end).toBeLessThan(bytes);
      }
    }
    const names = CUDA_WHEELS.flatMap(({ files }) => files.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^(licenses\/)?[\w.-]+$/);
  });
});

import { describe, expect, it } from "vitest";
import {
  librariesOf,
  OPENVINO_C,
  OPENVINO_VERSION,
  openVinoWheel,
} from "../../../src/models/openvino/openvino-wheels.js";

const MB = 1e6;

describe.each(["x64", "arm64"])("the wheel of OpenVINO for %s", (arch) => {
  const wheel = openVinoWheel("linux", arch);

  it("is of the version that its libraries are called by", () => {
    const [year, release, patch] = OPENVINO_VERSION.split(".");
    expect(wheel?.version).toBe(OPENVINO_VERSION);
    expect(wheel?.name).toContain(`openvino-${OPENVINO_VERSION}-`);
    expect(OPENVINO_C.endsWith(`.so.${year?.slice(2)}${release}${patch}`)).toBe(true);
  });

  it("has its licence, and the libraries that a CPU needs within 100 MB", () => {
    const files = wheel?.files ?? [];
    const libraries = wheel === undefined ? [] : librariesOf(wheel);
    expect(libraries.map(({ name }) => name)).toContain(OPENVINO_C);
    expect(files.map(({ name }) => name)).toContain("licenses/openvino-LICENSE");
    for (const { name } of files) expect(name).toMatch(/^(licenses\/)?[\w.-]+$/);
    expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(100 * MB);
  });

  it("has files that do not overlap", () => {
    const spans = (wheel?.files ?? [])
      .map(({ offset, compressedBytes }) => [offset, offset + compressedBytes] as const)
      .sort(([a], [b]) => a - b);
    for (const [i, [start, end]] of spans.entries()) {
      expect(start).toBeGreaterThan(spans[i - 1]?.[1] ?? 0);
      expect(end).toBeLessThan(wheel?.bytes ?? 0);
    }
  });
});

describe("a machine that OpenVINO is not set up on", () => {
  it.each([
    ["darwin", "arm64"],
    ["linux", "riscv64"],
    ["linux", "toString"],
  ])("has no wheel: %s on %s", (platform, arch) => {
    expect(openVinoWheel(platform, arch)).toBeUndefined();
  });
});

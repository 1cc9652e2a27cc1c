import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyKeptPackages } from "../../../docker/image/kept-packages.js";
import { REPOSITORY } from "../../bench/support/places.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-kept-"));
  copyKeptPackages(REPOSITORY, folder, process.arch === "arm64" ? "arm64" : "x64");
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(process.platform !== "linux")("the part of a package that is in the image", () => {
  it.each(["onnxruntime-node", "tokenizers", "koffi"])("is enough to load it: %s", (name) => {
    const program = `await import(${JSON.stringify(name)}); process.stdout.write("loaded");`;
    const args = ["--input-type=module", "-e", program];
    const env = { ...process.env, ORT_DISABLE_TELEMETRY: "1" };
    expect(execFileSync(process.execPath, args, { cwd: folder, env }).toString()).toBe("loaded");
  });
});

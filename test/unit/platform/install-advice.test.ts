import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installAdvice } from "../../../src/platform/install-advice.js";

const MANIFEST = { version: "1.2.3", optionalDependencies: { "onnxruntime-node": "1.30.0" } };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-advice-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function rankmillIn(place: string): Promise<string> {
  const root = join(folder, place);
  await mkdir(root, { recursive: true });
  await writeFile(join(root, "package.json"), JSON.stringify(MANIFEST));
  return root;
}

describe("the command that brings a missing package back", () => {
  it("installs it into the project that has rankmill, in the version that is known to work", async () => {
    const root = await rankmillIn("project/node_modules/rankmill");
    await writeFile(join(folder, "project/package.json"), "{}");
    expect(installAdvice("onnxruntime-node", root)).toBe(
      "npm install --ignore-scripts onnxruntime-node@1.30.0",
    );
  });

  it("installs rankmill anew if that was installed for all projects", async () => {
    const root = await rankmillIn("lib/node_modules/rankmill");
    expect(installAdvice("onnxruntime-node", root)).toBe(
      "npm install -g --ignore-scripts rankmill-1.2.3.tgz",
    );
  });

  it("installs it into a checkout", async () => {
    const root = await rankmillIn("rankmill");
    expect(installAdvice("another", root)).toBe("npm install --ignore-scripts another");
  });
});

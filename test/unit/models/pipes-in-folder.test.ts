import { execFileSync } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { inspectModelFolder } from "../../../src/models/model-folder.js";

it.each(["tokenizer.json", "config.json", "onnx/model.onnx"])(
  "a model folder whose %s is a pipe is refused at once, and nobody waits for a writer",
  async (name) => {
    const folder = await mkdtemp(join(tmpdir(), "rankmill-test-pipe-"));
    onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
    await cp("test/fixtures/models/bert", folder, { recursive: true });
    await rm(join(folder, name));
    execFileSync("mkfifo", [join(folder, name)]);
    await expect(inspectModelFolder(folder)).rejects.toMatchObject({
      code: "model_unusable",
      message: expect.stringContaining(`${name} is no regular file`) as unknown,
    });
  },
);

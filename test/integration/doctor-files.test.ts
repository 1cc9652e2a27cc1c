/** Checks of large files, on a model with real files: a flipped byte is found before it costs a score. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Check } from "../../src/app/doctor/check.js";
import { caches } from "../../src/app/doctor/checks/caches.js";
import { modelFiles } from "../../src/app/doctor/checks/model-files.js";
import type { Said } from "../../src/app/doctor/finding.js";
import type { Subject } from "../../src/app/doctor/subject.js";
import { CPU_DEVICE } from "../../src/inference/devices/registry.js";
import { DEFAULT_RUNTIME } from "../../src/inference/runtime/registry.js";
import { MIN_PREPARE_BYTES } from "../../src/inference/prepare/prepare-model.js";
import { resolveModel, type ResolvedModel } from "../../src/models/resolve.js";
import { preparedOptions } from "../support/fidelity.js";
import { fixtureFolder } from "../support/lanes.js";

let folder: string;
let model: ResolvedModel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-doctor-"));
  model = await resolveModel(fixtureFolder("bert"), { packageRoot: folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function outcomeOf(check: Check, of: ResolvedModel, prepared: string): Promise<Said[]> {
  const subject: Subject = {
    redis: { status: "unnamed", option: "redisUrl" },
    model: { status: "unnamed", option: "model" },
    lanes: {},
    inFlight: { maxJobs: 1, maxBytes: 1 },
    maxDocumentChars: 4_194_304,
    maxJobBytes: 1,
    tokenizer: "auto",
    folders: { prepared, calibration: folder, models: folder, index: folder, temporary: folder },
    env: process.env,
  };
  if (check.needs !== "model") throw new Error(`${check.name} is not about a model`);
  const examined = {
    model: of,
    device: CPU_DEVICE,
    runtime: DEFAULT_RUNTIME,
    deviceNote: "",
    deviceUnexpected: false,
  };
  return await check.run(examined, subject);
}

describe("the check of a model's files", () => {
  it("reads every byte, and believes no hash that was kept", async () => {
    expect(await outcomeOf(modelFiles, model, folder)).toMatchObject([{ level: "ok" }]);
    const changed = {
      ...model,
      digest: model.digest.replace(/^./, (one) => (one === "0" ? "1" : "0")),
    };
    expect(await outcomeOf(modelFiles, changed, folder)).toMatchObject([
      { level: "problem", said: expect.stringContaining("have changed without a trace") as string },
    ]);
  });
});

describe("the check of the caches", () => {
  it("finds a flipped byte of a prepared model, and says how to make it anew", async () => {
    const { onnxPath } = (await preparedOptions("bert", "fp32", folder)).model;
    // Prepared ones are found by the digest under which they were made.
    const digest = createHash("sha256").update(readFileSync(model.onnxPath)).digest("hex");
    const large = { ...model, digest, file: { ...model.file, bytes: MIN_PREPARE_BYTES } };
    const prepared = join(folder, "bert");
    const [whole] = await outcomeOf(caches, large, prepared);
    expect(whole, "not measured, and nothing worse").toMatchObject({ level: "note" });
    await chmod(onnxPath, 0o644);
    const file = await open(onnxPath, "r+");
    await file.write(Buffer.from([0xff]), 0, 1, 100);
    await file.close();
    const [damaged] = await outcomeOf(caches, large, prepared);
    expect(damaged).toMatchObject({
      level: "problem",
      said: expect.stringContaining("model.onnx was changed") as string,
      remedy: expect.stringContaining("rankmill models prepare bert") as string,
    });
  });
});

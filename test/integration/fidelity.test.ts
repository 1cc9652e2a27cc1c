import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ARCHITECTURES, FP32_TOLERANCE, measureFidelity } from "../support/fidelity.js";

let cacheDir: string;
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "rankmill-fidelity-"));
});
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

describe.each(ARCHITECTURES)("%s", (model) => {
  it("is read and scored as by the framework that made it, prepared or not", async () => {
    const fidelity = await measureFidelity(model, "fp32", cacheDir);
    expect(fidelity.pairs).toBeGreaterThan(5);
    expect(fidelity.differentIds).toBe(0);
    expect(fidelity.logitDifference).toBeLessThanOrEqual(FP32_TOLERANCE);
    expect(fidelity.preparedDifference).toBeLessThanOrEqual(FP32_TOLERANCE);
  });
});

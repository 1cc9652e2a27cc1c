import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ARCHITECTURES, FP32_TOLERANCE, measureFidelity } from "../support/fidelity.js";
import type { FixtureModel } from "../support/lanes.js";
import { longTests } from "../support/needs.js";

let cacheDir: string;
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "rankmill-fidelity-"));
});
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

/** Logits of these small models differ by several. Rounding moves them by 0.6 at most, a wrong product by 1 to 6. */
const MOST_OF_ROUNDING = 0.8;

/** Those that are alike at this size are left to the long tests. */
const ALIKE: ReadonlySet<FixtureModel> = new Set(["electra", "qwen2"]);
const TRIED = ARCHITECTURES.filter((model) => longTests.isMet || !ALIKE.has(model));
/** An encoder, one that is padded otherwise, and a decoder with keys and values: the others are left to the long tests. */
const UNLIKE_IN_FORMS: ReadonlySet<FixtureModel> = new Set(["bert", "modernbert", "qwen3"]);
const TRIED_IN_FORMS = TRIED.filter((model) => longTests.isMet || UNLIKE_IN_FORMS.has(model));

describe.each(TRIED)("%s", (model) => {
  it("is read and scored as by the framework that made it, prepared or not", async () => {
    const fidelity = await measureFidelity(model, { precision: "fp32" }, cacheDir);
    expect(fidelity.pairs).toBeGreaterThan(5);
    expect(fidelity.differentIds).toBe(0);
    expect(fidelity.logitDifference).toBeLessThanOrEqual(FP32_TOLERANCE);
    expect(fidelity.preparedDifference).toBeLessThanOrEqual(FP32_TOLERANCE);
  });
});

describe.each(TRIED_IN_FORMS)("%s", (model) => {
  it.each([
    { precision: "int8", form: "rows" },
    { precision: "fp32", form: "made" },
  ] as const)("is rounded, not changed, by the form $form", async (way) => {
    const fidelity = await measureFidelity(model, way, cacheDir);
    expect(fidelity.preparedDifference).toBeGreaterThan(FP32_TOLERANCE);
    expect(fidelity.preparedDifference).toBeLessThan(MOST_OF_ROUNDING);
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import { chooseWay } from "../../../../src/app/ways/choose-way.js";
import type { MeasuredWay } from "../../../../src/app/ways/compare-ways.js";
import type { LaneForecast } from "../../../../src/capacity/lane-forecast.js";
import { numbersName } from "../../../../src/core/forms/numbers.js";
import { DEFAULT_RUNTIME } from "../../../../src/inference/runtime/registry.js";
import { resolveModel, type ResolvedModel } from "../../../../src/models/resolve.js";
import { packageRoot } from "../../../../src/platform/package-root.js";
import { BERT } from "../../../support/cli.js";

let fp32: ResolvedModel;
let int8: ResolvedModel;
beforeAll(async () => {
  const places = { packageRoot: packageRoot() };
  fp32 = await resolveModel(BERT, { ...places, precision: "fp32" });
  int8 = await resolveModel(BERT, { ...places, precision: "int8" });
});

function way(
  model: ResolvedModel,
  error: number,
  speeds: Pick<LaneForecast, "pairsPerSecond" | "unhindered" | "isMeasured"> | undefined,
): MeasuredWay {
  const forecast = speeds && {
    ...speeds,
    lanes: 1,
    threads: 1,
    length: 128,
    bytes: 1,
  };
  return { model, runtime: DEFAULT_RUNTIME, error, forecast };
}

describe("the choice among ways that were measured", () => {
  it("says what was chosen, how much faster it is and how much it errs", () => {
    const rows = [
      way(fp32, 0, { pairsPerSecond: 100, unhindered: 100, isMeasured: true }),
      way(int8, 0.0312, { pairsPerSecond: 150, unhindered: 150, isMeasured: true }),
    ];
    expect(chooseWay({ rows, closed: [] }, 0.05).line).toBe(
      "precision auto: int8-rows on ONNX Runtime, 1.50 times as fast as fp32 here; logits differ from fp32's by 0.031 of their spread at most (allowed: 0.05)",
    );
  });

  it("compares one lane's speeds if lanes of one way were not measured together", () => {
    const rows = [
      way(fp32, 0, { pairsPerSecond: 160, unhindered: 200, isMeasured: true }),
      way(int8, 0.01, { pairsPerSecond: 190, unhindered: 190, isMeasured: false }),
    ];
    expect(numbersName(chooseWay({ rows, closed: [] }, 0.05).way.model)).toBe("fp32");
  });

  it("names the least error if every way errs more than is allowed", () => {
    const rows = [way(int8, 0.2, undefined)];
    expect(() => chooseWay({ rows, closed: [] }, 0.05)).toThrow(
      /precision auto: nothing .* errs maxScoreError 0\.05 or less: the least is 0\.2/,
    );
  });
});

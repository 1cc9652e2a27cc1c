/** Measures how far the scores of a way are from fp32's, once on this host. */
import { createHash } from "node:crypto";
import { describeError, RankmillError } from "../../core/errors.js";
import { numbersName } from "../../core/forms/numbers.js";
import {
  readScoreError,
  scoreErrorKey,
  shareOfSpread,
  writeScoreError,
} from "../../capacity/measure/score-error-file.js";
import { readCpuFeatures } from "../../inference/host/cpu-features.js";
import { runtimeOf } from "../../inference/runtime/registry.js";
import { checkPairs } from "../../models/check-pairs/check-pairs.js";
import { scorePairs } from "../score-pairs.js";
import { modelSource } from "../worker/prepared-model.js";
import { loadsPrepared, type WayMeans } from "./way-means.js";
import type { Way } from "./way.js";

/** Tells the error of a way as a share of the spread of fp32's logits. */
export interface ErrorMeter {
  /** @returns undefined if it is not kept, and nothing is to be measured */
  of(way: Way): Promise<number | undefined>;
}

/** @param reference the fp32 file on ONNX Runtime; its logits are computed once, when they are first needed */
export function errorMeter(reference: Way, means: WayMeans): ErrorMeter {
  const pairs = checkPairs(reference.model.entry);
  let exact: Promise<number[]> | undefined;
  return {
    of: async (way) => {
      if (isReference(way, reference)) return 0;
      const key = await keyOf(way, reference, pairs, means);
      const kept = await readScoreError(means.calibrationDir, key, (problem) =>
        means.logger.warn(problem),
      );
      if (kept !== undefined) return shareOfSpread(kept);
      if (means.onlyKept === true) return undefined;
      means.onMeasuring?.();
      exact ??= logitsOf(reference, pairs, means);
      const logits = await logitsOf(way, pairs, means);
      const found = { pairs: pairs.length, ...differenceOf(await exact, logits) };
      const model = `${way.model.name} ${numbersName(way.model)}`;
      const measuredAt = new Date().toISOString();
      await keep({ key, model, measuredAt, ...found }, means);
      return shareOfSpread(found);
    },
  };
}

function isReference({ model, runtime }: Way, reference: Way): boolean {
  return (
    model.onnxPath === reference.model.onnxPath &&
    numbersName(model) === numbersName(reference.model) &&
    runtime.kind === reference.runtime.kind
  );
}

/** @throws RankmillError `model_unusable` if a score is no number */
export function differenceOf(
  exact: readonly number[],
  logits: readonly number[],
): { readonly largestDifference: number; readonly spread: number } {
  const largestDifference = Math.max(
    ...exact.map((logit, i) => Math.abs(logit - (logits[i] ?? Number.NaN))),
  );
  if (!Number.isFinite(largestDifference)) {
    throw new RankmillError("model_unusable", "some of its scores are no numbers");
  }
  return { largestDifference, spread: Math.max(...exact) - Math.min(...exact) };
}

async function logitsOf(
  { model, runtime }: Way,
  pairs: ReturnType<typeof checkPairs>,
  { preparedDir, env, logger, tokenizer }: WayMeans,
): Promise<number[]> {
  const source = await modelSource(model, preparedDir, env, logger, runtime);
  return await scorePairs(model, pairs, env, { runtime, source, tokenizer });
}

async function keyOf(
  { model, runtime }: Way,
  reference: Way,
  pairs: ReturnType<typeof checkPairs>,
  { preparedDir }: WayMeans,
): Promise<string> {
  const kinds = [reference.runtime.kind, runtime.kind];
  return scoreErrorKey({
    modelDigest: model.digest,
    referenceDigest: reference.model.digest,
    numbers: numbersName(model),
    runtimes: await Promise.all(kinds.map(async (kind) => await runtimeOf(kind).version())),
    prepared: loadsPrepared(model, preparedDir),
    cpu: await readCpuFeatures(),
    maxLength: model.maxLength.default,
    texts: createHash("sha256").update(JSON.stringify(pairs)).digest("hex"),
  });
}

async function keep(
  figures: Parameters<typeof writeScoreError>[1],
  { calibrationDir, logger }: WayMeans,
): Promise<void> {
  try {
    await writeScoreError(calibrationDir, figures);
  } catch (error) {
    logger.warn(`how far scores are from fp32's cannot be kept: ${describeError(error).message}`);
  }
}

/** Keeps how far the scores of a precision are from fp32's, beside the calibrations. */
import { join } from "node:path";
import { z } from "zod";
import type { CpuFeatures } from "../../inference/host/cpu-features.js";
import { figuresKey, readFigures, writeFigures } from "./kept-figures.js";

/** Raised when something is measured otherwise: older files are measured again. */
const SCORE_ERROR_FORMAT = 1;

const scoreErrorSchema = z.object({
  format: z.literal(SCORE_ERROR_FORMAT),
  key: z.string(),
  /** A text for people. */
  model: z.string(),
  measuredAt: z.string(),
  pairs: z.int().positive(),
  /** The largest difference of a logit from that of fp32. */
  largestDifference: z.number().min(0),
  /** The largest logit of fp32 less the smallest. */
  spread: z.number().min(0),
});
export type ScoreError = z.infer<typeof scoreErrorSchema>;

/** Everything that the difference depends on. */
export interface ScoreErrorKeyParts {
  /** sha256, hex, of the model in the two precisions. */
  readonly modelDigest: string;
  readonly referenceDigest: string;
  /** Precision and form. */
  readonly numbers: string;
  /** Versions of both runtimes. */
  readonly runtimes: readonly string[];
  readonly prepared: boolean;
  readonly cpu: CpuFeatures;
  /** Tokens at which pairs are cut. */
  readonly maxLength: number;
  /** sha256 of the texts. */
  readonly texts: string;
}

export function scoreErrorKey(parts: ScoreErrorKeyParts): string {
  const { cpu, modelDigest } = parts;
  return figuresKey(modelDigest, [
    SCORE_ERROR_FORMAT,
    modelDigest,
    parts.referenceDigest,
    parts.numbers,
    parts.runtimes,
    parts.prepared,
    [cpu.arch, cpu.model, cpu.flags],
    parts.maxLength,
    parts.texts,
  ]);
}

/** The error as a share of the spread. Logits that are all equal leave no room for any. */
export function shareOfSpread({
  largestDifference,
  spread,
}: Pick<ScoreError, "largestDifference" | "spread">): number {
  if (largestDifference === 0) return 0;
  return spread === 0 ? Number.POSITIVE_INFINITY : largestDifference / spread;
}

/**
 * @param onDamaged told in one line why what is there is not believed
 * @returns undefined if there is none
 */
export async function readScoreError(
  dir: string,
  key: string,
  onDamaged?: (problem: string) => void,
): Promise<ScoreError | undefined> {
  const path = pathOf(dir, key);
  return await readFigures(
    path,
    (value) => {
      const found = scoreErrorSchema.safeParse(value);
      return found.success && found.data.key === key ? found.data : undefined;
    },
    (why) => onDamaged?.(`${path} is damaged (${why}): the model is compared with fp32 again`),
  );
}

/** @throws what the file system refuses */
export async function writeScoreError(
  dir: string,
  figures: Omit<ScoreError, "format">,
): Promise<void> {
  const kept: ScoreError = { format: SCORE_ERROR_FORMAT, ...figures };
  await writeFigures(pathOf(dir, figures.key), kept);
}

/** Below the calibrations, which are looked through by whoever wants the newest. */
function pathOf(dir: string, key: string): string {
  return join(dir, "score-errors", `${key}.json`);
}

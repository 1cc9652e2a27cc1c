/** Measures the ways to compute a model on this host: how far each is from fp32, how fast, in how much memory. */
import type { LaneForecast } from "../../capacity/lane-forecast.js";
import { hasCalibration } from "../../capacity/calibrate-once.js";
import { RankmillError, wordingOf } from "../../core/errors.js";
import { numbersName } from "../../core/forms/numbers.js";
import { wording } from "../../core/wording.js";
import { preparedHere } from "../doctor/prepared-here.js";
import { calibrateAhead } from "../worker/calibrate-ahead.js";
import { errorMeter, type ErrorMeter } from "./measure-error.js";
import { loadsPrepared, type WayMeans } from "./way-means.js";
import type { ClosedWay, Way, Ways } from "./way.js";

/** A way with what is known of it. */
export interface MeasuredWay extends Way {
  /** Largest difference of a logit from fp32's, as a share of the spread; undefined if it is not known. */
  readonly error: number | undefined;
  /** Undefined if it is not known, or the error is too large to ask. */
  readonly forecast: LaneForecast | undefined;
}

export interface Comparison {
  readonly rows: readonly MeasuredWay[];
  readonly closed: readonly ClosedWay[];
}

/**
 * @param maxScoreError speed is measured of those that err no more; absent: of all
 * @throws whatever stops fp32 itself
 */
export async function compareWays(
  { reference, open, closed }: Ways,
  means: WayMeans,
  maxScoreError = Number.POSITIVE_INFINITY,
): Promise<Comparison> {
  const meter = errorMeter(reference, means);
  const rows: MeasuredWay[] = [];
  const failed: ClosedWay[] = [];
  for (const way of open) {
    try {
      rows.push(await measureWay(way, meter, means, maxScoreError));
    } catch (error) {
      if (!(error instanceof RankmillError)) throw error;
      failed.push({ numbers: way.model, runtime: way.runtime.kind, why: wordingOf(error) });
    }
  }
  return { rows, closed: [...failed, ...closed] };
}

async function measureWay(
  way: Way,
  meter: ErrorMeter,
  means: WayMeans,
  maxScoreError: number,
): Promise<MeasuredWay> {
  const error = await meter.of(way);
  if (error !== undefined && error > maxScoreError) return { ...way, error, forecast: undefined };
  return { ...way, error, forecast: await forecastOf(way, means) };
}

const HERE = { status: "good" } as const;

/** @throws RankmillError if no lane can run it, or it could not be measured */
async function forecastOf(
  { model, runtime }: Way,
  means: WayMeans,
): Promise<LaneForecast | undefined> {
  const { preparedDir, calibrationDir, lanes, tokenizer, env, logger } = means;
  const prepared = loadsPrepared(model, preparedDir);
  const isKept = await hasCalibration(model, prepared, calibrationDir);
  if (!isKept && means.onlyKept !== true) means.onMeasuring?.();
  if (means.onlyKept === true) {
    const { status } = prepared ? await preparedHere(model, runtime, preparedDir, false) : HERE;
    if (!isKept || status !== HERE.status) return undefined;
  }
  const request = { ...lanes, model, runtime, preparedDir, calibrationDir, tokenizer, env, logger };
  const { forecast } = await calibrateAhead(request);
  if (forecast !== undefined) return forecast;
  throw new RankmillError(
    "lane_failed",
    wording`${model.name} ${numbersName(model)} could not be measured here`,
  );
}

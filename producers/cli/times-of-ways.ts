/** The speed and the time of each way to compute a model. */
import type { DryRun } from "../../src/app/dry-run.js";
import { forecastTime } from "../../src/app/dry-run-time.js";
import type { MeasuredWay } from "../../src/app/ways/compare-ways.js";
import { comparableSpeed } from "../../src/app/ways/comparable-speed.js";
import type { WayRow } from "./measured-ways.js";

/** The speed and the time of a way with an input. */
export interface WayTime {
  readonly pairsPerSecond: number;
  readonly seconds: number;
}

export type TimeOf = (way: MeasuredWay) => WayTime | undefined;

/** Pairs whose time is told where no input says how many there are. */
const USUAL_PAIRS = 1_000_000;

/** The time of a million pairs as long as were measured. */
export function usualTimes(rows: readonly WayRow[]): TimeOf {
  const speedOf = comparableSpeed(waysIn(rows));
  return (way) => {
    const pairsPerSecond = speedOf(way);
    if (pairsPerSecond === undefined) return undefined;
    return { pairsPerSecond, seconds: USUAL_PAIRS / pairsPerSecond };
  };
}

/**
 * What the dry run has scored tells the time of an input in the way that is chosen. The others follow from how they stand
 * to it in what was measured of lanes.
 */
export function timesOfInput({ time, tokens }: DryRun, rows: readonly WayRow[]): TimeOf {
  const speedOf = comparableSpeed(waysIn(rows));
  const [chosen] = rows.flatMap((row) => (row.kind === "open" && row.isChosen ? [row.way] : []));
  const scoredHere = time.pairsPerSecond * time.lanes;
  const expected = chosen && speedOf(chosen);
  return (way) => {
    const { forecast } = way;
    const speed = speedOf(way);
    if (way === chosen) return { pairsPerSecond: scoredHere, seconds: time.expectedSeconds };
    if (forecast === undefined || speed === undefined) return undefined;
    // A pair of twice the tokens takes about twice the time.
    const factor = expected === undefined ? forecast.length / tokens.mean : scoredHere / expected;
    const pairsPerSecond = speed * factor;
    const { lanes } = forecast;
    const own = { ...time, lanes, pairsPerSecond: pairsPerSecond / lanes };
    return { pairsPerSecond, seconds: forecastTime(own).expectedSeconds };
  };
}

function waysIn(rows: readonly WayRow[]): Parameters<typeof comparableSpeed>[0] {
  return rows.flatMap((row) => (row.kind === "open" ? [row.way] : []));
}

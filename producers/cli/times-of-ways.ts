/** The time that an input takes in each way to compute a model. */
import type { DryRun } from "../../src/app/dry-run.js";
import { forecastTime } from "../../src/app/dry-run-time.js";
import type { MeasuredWay } from "../../src/app/ways/compare-ways.js";
import type { WayRow } from "./measured-ways.js";
import type { TimeOf, WayTime } from "./way-table.js";

/**
 * What the dry run has scored tells the time of the way that is chosen; the others follow from how they stand to it in
 * what was measured of lanes, at the mean length of this input.
 */
export function timesOfWays(
  { time, tokens, maxLength }: DryRun,
  rows: readonly WayRow[] = [],
): TimeOf {
  const length = Math.min(tokens.mean, maxLength);
  const [chosen] = rows.flatMap((row) => (row.kind === "open" && row.isChosen ? [row.way] : []));
  const scoredHere = time.pairsPerSecond * time.lanes;
  const expected = chosen && speedAt(chosen, length);
  const factor = expected === undefined ? 1 : scoredHere / expected;
  return (way): WayTime | undefined => {
    const { forecast } = way;
    if (way === chosen) return { pairsPerSecond: scoredHere, seconds: time.expectedSeconds };
    const speed = speedAt(way, length);
    if (forecast === undefined || speed === undefined) return undefined;
    const pairsPerSecond = speed * factor;
    const { lanes } = forecast;
    const own = { ...time, lanes, pairsPerSecond: pairsPerSecond / lanes };
    return { pairsPerSecond, seconds: forecastTime(own).expectedSeconds };
  };
}

/** Pairs per second of all lanes, of pairs of `length` tokens. */
function speedAt({ forecast }: MeasuredWay, length: number): number | undefined {
  return forecast && forecast.pairsPerSecond / forecast.relativeTime(length);
}

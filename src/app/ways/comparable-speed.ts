import type { MeasuredWay } from "./compare-ways.js";

/**
 * Pairs per second of ways, measured alike: of lanes beside one another, if those of all ways were; else of one lane by
 * its processor's time, for other work on the machine may have hindered some ways and not others.
 */
export function comparableSpeed(
  ways: readonly MeasuredWay[],
): (way: MeasuredWay) => number | undefined {
  const areMeasured = ways.every(({ forecast }) => forecast?.isMeasured !== false);
  return ({ forecast }) => (areMeasured ? forecast?.pairsPerSecond : forecast?.unhindered);
}

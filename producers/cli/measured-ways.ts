/** Measures every way in which this host can compute a model, for tables. */
import type { Logger } from "pino";
import type { MeasuredWay } from "../../src/app/ways/compare-ways.js";
import type { ClosedWay } from "../../src/app/ways/way.js";
import { sameNumbers, type Numbers } from "../../src/core/forms/numbers.js";
import { say } from "./terminal.js";
import { meansHere, waysHere, type AskedWays } from "./ways-here.js";

/** A row of a table: a way that is measured, or one that this host cannot compute. */
export type WayRow =
  | { readonly kind: "open"; readonly way: MeasuredWay; readonly isChosen: boolean }
  | { readonly kind: "closed"; readonly way: ClosedWay };

/**
 * @param chosen the numbers of the row that is marked
 * @param onlyKept tells what was measured before, and measures nothing
 */
export async function measuredWays(
  asked: AskedWays,
  logger: Logger,
  chosen: Numbers | undefined,
  onlyKept = false,
): Promise<WayRow[]> {
  const { compareWays } = await import("../../src/app/ways/compare-ways.js");
  const means = { ...meansHere(asked, logger, say), onlyKept };
  const { rows, closed } = await compareWays(await waysHere(asked), means);
  return [
    ...rows.map((way): WayRow => {
      const isChosen = chosen !== undefined && sameNumbers(way.model, chosen);
      return { kind: "open", way, isChosen };
    }),
    ...closed.map((way): WayRow => ({ kind: "closed", way })),
  ];
}

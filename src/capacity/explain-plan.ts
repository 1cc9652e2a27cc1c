import { MIN_PREPARE_BYTES } from "../inference/prepare/prepare-model.js";
import type { ResolvedModel } from "../models/resolve.js";
import type { Calibration, Layout } from "./calibration.js";

const UNSURE = "lanes not compared, for the machine was busy";

/** One line that says which layout and batches were chosen, and the speeds that decided. */
export function explainPlan(
  { lanes, threads }: Layout,
  rows: number,
  cores: number,
  calibration: Calibration | undefined,
  { file, dynamicallyQuantised }: Pick<ResolvedModel, "file" | "dynamicallyQuantised">,
): string {
  const chosen = `${lanes} lane${lanes === 1 ? "" : "s"} × ${threads} thread${threads === 1 ? "" : "s"} on ${cores} cores, ${rows === 1 ? "1 row" : `up to ${rows} rows`} a batch`;
  if (calibration === undefined) return `${chosen}: not calibrated`;
  const speeds = calibration.layouts.map(
    (layout) => `${layout.lanes} × ${layout.threads}: ${layout.pairsPerSecond.toFixed(1)} pairs/s`,
  );
  const unsure = file.bytes >= MIN_PREPARE_BYTES && cores > 1 && speeds.length === 0;
  const parts = [
    unsure ? UNSURE : speeds.join(", "),
    whyRows(calibration, dynamicallyQuantised),
  ].filter((part) => part !== "");
  return parts.length === 0
    ? chosen
    : `${chosen} (at ${calibration.length} tokens: ${parts.join("; ")})`;
}

function whyRows({ rows, rowsKeepBits }: Calibration, dynamicallyQuantised: boolean): string {
  if (dynamicallyQuantised) return "dynamic int8 with a scale per tensor is never batched";
  if (!rowsKeepBits) return "batches would change scores in the last bits";
  return rows
    .map(
      (one) =>
        `${one.rows} row${one.rows === 1 ? "" : "s"}: ${one.pairsPerSecond.toFixed(0)} pairs/s`,
    )
    .join(", ");
}

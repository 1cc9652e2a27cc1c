/** Chooses the way to compute a model that is fastest on this host and near enough to fp32. */
import { fastestWithin } from "../../core/choose-way.js";
import { RankmillError } from "../../core/errors.js";
import { numbersName } from "../../core/forms/numbers.js";
import { option, wording } from "../../core/wording.js";
import { runtimeOf } from "../../inference/runtime/registry.js";
import { comparableSpeed } from "./comparable-speed.js";
import type { Comparison, MeasuredWay } from "./compare-ways.js";

export interface ChosenWay {
  readonly way: MeasuredWay;
  /** One line that says what was chosen and why. */
  readonly line: string;
}

/** @throws RankmillError `invalid_option` if every way errs more */
export function chooseWay({ rows }: Comparison, maxScoreError: number): ChosenWay {
  const speedOf = comparableSpeed(rows);
  const known = rows.flatMap((way) => {
    const { error } = way;
    const pairsPerSecond = speedOf(way);
    return error === undefined || pairsPerSecond === undefined
      ? []
      : [{ way, error, pairsPerSecond }];
  });
  const chosen = fastestWithin(known, maxScoreError);
  if (chosen === undefined) {
    const least = Math.min(...rows.flatMap(({ error }) => error ?? []));
    const found = Number.isFinite(least) ? `: the least is ${shareText(least)}` : "";
    throw new RankmillError(
      "invalid_option",
      wording`${option("precision", "auto")}: nothing that this host can compute errs ${option("maxScoreError", maxScoreError)} or less${found}; raise it, or name a precision`,
      { field: "maxScoreError" },
    );
  }
  const exact = known.find(({ error }) => error === 0);
  return { way: chosen.way, line: lineOf(chosen, exact, maxScoreError) };
}

interface Known {
  readonly way: MeasuredWay;
  readonly error: number;
  readonly pairsPerSecond: number;
}

function lineOf(chosen: Known, exact: Known | undefined, bound: number): string {
  const { model, runtime } = chosen.way;
  const name = `${numbersName(model)} on ${runtimeOf(runtime.kind).name}`;
  if (chosen === exact) {
    return `precision auto: ${name}; nothing that errs ${shareText(bound)} or less is worth a change here`;
  }
  const times =
    exact === undefined
      ? ""
      : `, ${(chosen.pairsPerSecond / exact.pairsPerSecond).toFixed(2)} times as fast as fp32 here`;
  return `precision auto: ${name}${times}; logits differ from fp32's by ${shareText(chosen.error)} of their spread at most (allowed: ${shareText(bound)})`;
}

/** Three digits that count. */
export function shareText(share: number): string {
  return String(Number(share.toPrecision(2)));
}

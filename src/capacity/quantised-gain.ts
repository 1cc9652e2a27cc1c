/** Says in one line what a quantised precision gains on this host. */
import type { Logger } from "pino";
import { numbersName } from "../core/forms/numbers.js";
import { timesAsFast, type Calibration } from "./calibration.js";
import { newestCalibration } from "./measure/calibration-file.js";
import type { ResolvedModel } from "../models/resolve.js";

/** @param host of `hostKey` */
export async function sayQuantisedGain(
  ours: Calibration,
  model: ResolvedModel,
  dir: string,
  host: string,
  logger: Logger,
): Promise<void> {
  const { name, folder, file, entry } = model;
  if (!file.dynamicallyQuantised) return;
  const numbers = numbersName(model);
  const theirs = await newestCalibration(dir, `${name} fp32`, host);
  if (theirs === undefined) {
    logger.info(
      { precision: numbers },
      `the gain of ${numbers} over fp32 on this host is not known: \`rankmill models prepare ${entry === undefined ? folder.path : name} --calibrate\` measures fp32`,
    );
    return;
  }
  const times = timesAsFast(ours, theirs);
  logger.info(
    { precision: numbers, timesAsFast: Number(times.toFixed(2)), tokens: ours.length },
    `${numbers} scores pairs of ${ours.length} tokens ${times.toFixed(1)} times as fast as fp32 on this host`,
  );
}

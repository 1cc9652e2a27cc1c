/** The ways in which this host can compute the model that options name, and the means to measure them. */
import type { Logger } from "pino";
import type { Ways } from "../../src/app/ways/way.js";
import type { WayMeans } from "../../src/app/ways/way-means.js";
import { RankmillError } from "../../src/core/errors.js";
import { option, wording } from "../../src/core/wording.js";
import type { TokenizerChoice } from "../../src/tokenizers/kinds/registry.js";
import { calibrationDir, openvinoDir, preparedDir, requireModel } from "./context.js";
import type { DeviceValues } from "./options/device.js";
import type { LaneValues } from "./options/lanes.js";
import type { AskedModelValues } from "./options/model.js";
import { env } from "./terminal.js";

/** The options that say which ways there are. */
export interface AskedWays {
  readonly model: AskedModelValues & {
    readonly preparedDir: string | undefined;
    readonly prepare?: boolean;
    readonly tokenizer?: TokenizerChoice;
  };
  readonly device: Pick<DeviceValues, "runtime" | "openvinoDir">;
  readonly lanes: Partial<LaneValues>;
}

/** @throws RankmillError `model_not_found`; `model_unusable` if there is no fp32 file to compare with */
export async function waysHere({ model, device }: AskedWays): Promise<Ways> {
  // Native packages are loaded by the commands that score, and by no other.
  const { listWays } = await import("../../src/app/ways/list-ways.js");
  return await listWays({
    resolve: async (precision, int8Form) => await requireModel({ ...model, precision, int8Form }),
    places: { setupDirs: { openvino: openvinoDir(device.openvinoDir) } },
    runtime: device.runtime,
    int8Form: model.int8Form,
    prepares: model.prepare !== false,
  });
}

/**
 * @param tell hears one line before the first measuring
 * @throws RankmillError `invalid_option` if nothing is to be measured
 */
export function meansHere(
  { model, lanes: { calibrate, ...lanes } }: AskedWays,
  logger: Logger,
  tell: (line: string) => void,
): WayMeans {
  if (calibrate === false) {
    throw new RankmillError(
      "invalid_option",
      wording`${option("calibrate")}: ways to compute a model are compared by measuring: leave it out, or name a precision`,
      { field: "calibrate" },
    );
  }
  let told = false;
  return {
    preparedDir: model.prepare === false ? undefined : preparedDir(model.preparedDir),
    calibrationDir: calibrationDir(lanes.calibrationDir),
    lanes,
    tokenizer: model.tokenizer,
    env,
    // What a worker would say of each precision is no news where all are tried.
    logger: logger.child({}, { level: "error" }),
    onMeasuring: () => {
      if (!told) tell(`measuring the precisions of ${model.model ?? ""} on this host, once`);
      told = true;
    },
  };
}

/** Puts a precision in the place of `auto`: that of earlier rankings, of the fleet, or the fastest that errs little. */
import type { Logger } from "pino";
import type { SettledWay } from "../../src/app/ways/fleet-way.js";
import type { Ways } from "../../src/app/ways/way.js";
import type { Numbers } from "../../src/core/forms/numbers.js";
import { numbersName } from "../../src/core/forms/numbers.js";
import { DEFAULT_MAX_SCORE_ERROR } from "../../src/core/choose-way.js";
import { RankmillError } from "../../src/core/errors.js";
import { option, wording } from "../../src/core/wording.js";
import { PRECISIONS, type Precision } from "../../src/core/precision.js";
import { CPU_DEVICE } from "../../src/inference/devices/registry.js";
import { runtimeForForm, type RuntimeKind } from "../../src/inference/runtime/registry.js";
import { FORMS } from "../../src/core/forms/registry.js";
import type { RedisClient } from "../../src/redis/redis-client.js";
import { findDevice } from "./choose-device.js";
import { requireRedis } from "./context.js";
import type { DeviceValues } from "./options/device.js";
import type { FindModelValues } from "./options/model.js";
import type { RedisValues } from "./redis-target.js";
import { meansHere, waysHere, type AskedWays } from "./ways-here.js";

/** The options of a model whose precision may be `auto`. */
export interface AskedPrecision extends AskedWays {
  readonly model: AskedWays["model"] & { readonly maxScoreError: number | undefined };
  readonly device: DeviceValues;
}

/** The same options, with the one precision that they come to. */
export interface SettledPrecision {
  readonly model: FindModelValues & { readonly prepare?: boolean };
  readonly device: DeviceValues;
}

/** Lends a connection to the fleet's Redis. */
export type WithFleet = <T>(work: (redis: RedisClient) => Promise<T>) => Promise<T>;

/** Connects for each piece of work: measuring in between may take minutes. @returns undefined if no Redis is named */
export function fleetOf(values: RedisValues, logger: Logger): WithFleet | undefined {
  if (values.redisUrl === undefined) return undefined;
  return async (work) => {
    const redis = await requireRedis(values, logger);
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  };
}

export interface SettleMeans {
  /** Hears what was chosen and why. */
  readonly tell: (line: string) => void;
  readonly logger: Logger;
  /** Absent if no other host is to agree. */
  readonly fleet?: WithFleet | undefined;
  /** The numbers of rankings that are gone on with. */
  readonly earlier?: Numbers | undefined;
}

/**
 * @throws RankmillError `invalid_option` if nothing that errs little can be computed, or the fleet serves what this
 *   host cannot; `model_unusable` if there is no fp32 file to compare with
 */
export async function settlePrecision(
  asked: AskedPrecision,
  means: SettleMeans,
): Promise<SettledPrecision> {
  const { model, device } = asked;
  const { precision } = model;
  if (precision !== "auto") {
    requireNoBound(asked);
    return { model: { ...model, precision }, device };
  }
  const { earlier, tell } = means;
  const gone = earlier === undefined ? undefined : PRECISIONS.find((p) => p === earlier.precision);
  if (earlier !== undefined && gone !== undefined) {
    tell(`precision auto: ${numbersName(earlier)}, as the rankings that are there`);
    const own = FORMS.find(({ name }) => name === earlier.form)?.name;
    return inNumbers(asked, { precision: gone, form: own, kind: runtimeForForm(own).kind }, device);
  }
  const { device: found } = await findDevice(device, undefined);
  if (found.kind !== CPU_DEVICE.kind) {
    tell("precision auto: the usual one of CUDA, for precisions are measured on CPUs alone");
    return { model: { ...model, precision: undefined }, device };
  }
  const { way, line } = await settle(await waysHere(asked), asked, means);
  tell(line);
  const { precision: chosen, form } = way.model;
  const numbers = { precision: chosen, form, kind: way.runtime.kind };
  return inNumbers(asked, numbers, { ...device, device: CPU_DEVICE.kind });
}

/** Whoever gives a bound means it to hold: only `auto` measures. */
function requireNoBound({ model }: AskedPrecision): void {
  const { precision, maxScoreError } = model;
  if (maxScoreError === undefined) return;
  const named =
    precision === undefined ? wording`` : wording`, not with ${option("precision", precision)}`;
  throw new RankmillError(
    "invalid_option",
    wording`${option("maxScoreError", maxScoreError)} goes with ${option("precision", "auto")}${named}: a precision that is named is not measured`,
    { field: "maxScoreError" },
  );
}

async function settle(
  ways: Ways,
  asked: AskedPrecision,
  { fleet, logger, tell }: SettleMeans,
): Promise<SettledWay> {
  const { agreeOnWay, fleetWay } = await import("../../src/app/ways/fleet-way.js");
  const served = await fleet?.((redis) => fleetWay(redis, ways));
  if (served !== undefined) return served;
  const { compareWays } = await import("../../src/app/ways/compare-ways.js");
  const { chooseWay } = await import("../../src/app/ways/choose-way.js");
  const { maxScoreError = DEFAULT_MAX_SCORE_ERROR } = asked.model;
  const compared = await compareWays(ways, meansHere(asked, logger, tell), maxScoreError);
  const own = chooseWay(compared, maxScoreError);
  return (await fleet?.((redis) => agreeOnWay(redis, ways, own))) ?? own;
}

interface SettledNumbers extends Numbers {
  readonly precision: Precision;
  readonly kind: RuntimeKind;
}

/** The options that lead to these numbers and no others. */
function inNumbers(
  { model, device: asked }: AskedPrecision,
  { precision, form, kind }: SettledNumbers,
  device: DeviceValues,
): SettledPrecision {
  const int8Form = form === "rows" ? "rows" : "file";
  return {
    model: { ...model, precision, ...(precision === "int8" && { int8Form }) },
    device: { ...device, runtime: asked.runtime === "auto" ? kind : asked.runtime },
  };
}

import type { Logger } from "pino";
import type { Instruments } from "../../src/app/worker/instruments.js";
import type { Values } from "./option-values.js";

/** The options of every command that shows how it is. */
export const INSTRUMENT_OPTION_NAMES = ["healthFile", "metricsPort", "metricsHost"] as const;

/**
 * @returns undefined where no port was named
 * @throws RankmillError `place_unusable` where the address cannot be had
 */
export async function openInstruments(
  values: Values<(typeof INSTRUMENT_OPTION_NAMES)[number]>,
  logger: Logger,
): Promise<Instruments | undefined> {
  const { metricsPort: port, metricsHost: host } = values;
  if (port === undefined) return undefined;
  const { Instruments } = await import("../../src/app/worker/instruments.js");
  return await Instruments.open({ host, port, logger });
}

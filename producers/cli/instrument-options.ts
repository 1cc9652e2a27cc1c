import type { Logger } from "pino";
import type { Instruments } from "../../src/app/worker/instruments.js";
import type { Closers } from "../../src/platform/closers.js";
import type { ObserveValues } from "./options/observe.js";

/**
 * @returns undefined if no port was named
 * @throws RankmillError `place_unusable` if the address cannot be had
 */
export async function openInstruments(
  values: ObserveValues,
  logger: Logger,
  closers: Closers,
): Promise<Instruments | undefined> {
  const { metricsPort: port, metricsHost: host } = values;
  if (port === undefined) return undefined;
  const { Instruments } = await import("../../src/app/worker/instruments.js");
  const instruments = await Instruments.open({ host, port, logger });
  return closers.use("metrics", instruments, (one) => one.close());
}

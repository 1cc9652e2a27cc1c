import type { Precision } from "../../core/precision.js";
import { RankmillError } from "../../core/errors.js";
import { option, wording } from "../../core/wording.js";
import type { DeviceState } from "./device.js";
import {
  CPU_DEVICE,
  DEVICE_KINDS,
  deviceOf,
  type DeviceKind,
  type WorkerDevice,
} from "./registry.js";

/** Devices that an operator may ask for; `auto` takes a card if all that it needs is there. */
export const DEVICE_CHOICES = ["auto", ...DEVICE_KINDS] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

/** Reactions of a worker whose device cannot be used. */
export const DEVICE_FALLBACKS = ["fail", "cpu"] as const;
export type DeviceFallback = (typeof DEVICE_FALLBACKS)[number];

export interface DeviceDecision {
  readonly device: WorkerDevice;
  /** One line for the log, always said. */
  readonly note: string;
  /** True if it is not what the operator, or the machine, leads one to expect. */
  readonly unexpected: boolean;
}

/** A device that was looked for, and how it stands. */
export interface Looked {
  readonly kind: DeviceKind;
  readonly state: DeviceState;
}

/**
 * Devices to look for, the preferred first; none if only the CPU can do it.
 *
 * @throws RankmillError `invalid_option` if the operator asked for a device that cannot run `precision`
 */
export function devicesToTry(
  choice: DeviceChoice,
  precision: Precision | undefined,
): readonly DeviceKind[] {
  const lacks = (kind: DeviceKind): boolean =>
    precision !== undefined && deviceOf(kind).lackedPrecisions.includes(precision);
  if (choice === "auto") return DEVICE_KINDS.filter((kind) => hasOwnMemory(kind) && !lacks(kind));
  if (!hasOwnMemory(choice)) return [];
  if (!lacks(choice)) return [choice];
  throw new RankmillError(
    "invalid_option",
    wording`${option("device", choice)} with ${option("precision", precision)}: quantised models run on the CPU; choose fp16 or fp32, or ${option("device", "cpu")}`,
    { field: "device" },
  );
}

/**
 * The device of a worker, and why.
 *
 * @param looked what `devicesToTry` named, as it was found
 * @throws RankmillError `device_unavailable` in one line, with what to do, if a device was asked for, is
 *   not to be had, and nothing allows the CPU
 */
export function decideDevice(
  choice: DeviceChoice,
  fallback: DeviceFallback,
  looked: readonly Looked[],
): DeviceDecision {
  for (const { kind, state } of looked) {
    if (state.status !== "works") continue;
    const { cards } = state.found;
    const counted = cards === undefined ? "" : `, ${cards} GPU${cards === 1 ? "" : "s"}`;
    const note = `device: ${deviceOf(kind).name}${counted}`;
    return { device: { kind, ...state.found }, note, unexpected: false };
  }
  const [first] = looked;
  if (first === undefined) return onCpu("", false);
  const { kind, state } = looked.find((one) => one.state.status === "unusable") ?? first;
  if (state.status === "works") return onCpu("", false);
  const why = `${deviceOf(kind).name} cannot be used: ${state.reason}; ${state.remedy}`;
  if (choice === "auto") {
    return state.status === "unusable"
      ? onCpu(`, because ${why}`, true)
      : onCpu(`: ${state.reason}`, false);
  }
  if (fallback === "cpu") return onCpu(`, the fallback that was asked for, because ${why}`, true);
  throw new RankmillError("device_unavailable", why);
}

function hasOwnMemory(kind: DeviceKind): boolean {
  return deviceOf(kind).memory.kind === "own";
}

function onCpu(why: string, unexpected: boolean): DeviceDecision {
  return { device: CPU_DEVICE, note: `device: CPU${why}`, unexpected };
}

/**
 * The precisions to look for, best first, if the operator names none. A worker that fell back to the
 * CPU keeps what the device would have taken: precision names the queue, and its jobs must be served.
 */
export function precisionsFor(choice: DeviceChoice, device: WorkerDevice): readonly Precision[] {
  return deviceOf(choice === "auto" ? device.kind : choice).precisions;
}

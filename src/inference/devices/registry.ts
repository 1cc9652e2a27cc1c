import { CPU } from "./cpu.js";
import { CUDA } from "./cuda/cuda.js";
import type { Device, FoundDevice } from "./device.js";

/** All devices; a new one is a line here. `auto` takes the first that works of those with memory of their own. */
const REGISTERED = [CPU, CUDA] as const;

export const DEVICES: readonly Device[] = REGISTERED;
export type DeviceKind = (typeof REGISTERED)[number]["kind"];
export const DEVICE_KINDS: readonly DeviceKind[] = REGISTERED.map(({ kind }) => kind);

/** A device that lanes of a worker run on. */
export type WorkerDevice = FoundDevice<DeviceKind>;
export const CPU_DEVICE: WorkerDevice = { kind: CPU.kind };

export function deviceOf(kind: DeviceKind): Device {
  const device = REGISTERED.find((one) => one.kind === kind);
  if (device === undefined) throw new RangeError(`no device is called "${kind}"`);
  return device;
}

import type { FaultKind } from "./fault.js";
import { CLOCK_FAULTS } from "./faults/clock-faults.js";
import { DISK_FAULTS } from "./faults/disk-faults.js";
import { NETWORK_FAULTS } from "./faults/network-faults.js";
import { PROCESS_FAULTS } from "./faults/process-faults.js";
import { REDIS_FAULTS } from "./faults/redis-faults.js";

/** Every kind of fault by its name in logs and in `--kinds`. */
export const FAULT_KINDS: Readonly<Record<string, FaultKind>> = {
  ...PROCESS_FAULTS,
  ...REDIS_FAULTS,
  ...NETWORK_FAULTS,
  ...DISK_FAULTS,
  ...CLOCK_FAULTS,
};

import { readFileSync } from "node:fs";

const BYTES_A_KIB = 1024;

function statusOf(pid: number, field: "VmRSS" | "VmHWM"): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const [, kib] = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status) ?? [];
    return Number(kib ?? 0) * BYTES_A_KIB;
  } catch {
    return 0;
  }
}

/** Bytes that a process holds in memory now; 0 if it is gone, or the system is not Linux. */
export function residentBytes(pid: number): number {
  return statusOf(pid, "VmRSS");
}

/** The most that it ever held, as the kernel knows. */
export function peakResidentBytes(pid: number): number {
  return statusOf(pid, "VmHWM");
}

import { readFileSync } from "node:fs";
import process from "node:process";

/** All in bytes. */
export interface ProcessMemory {
  /** The process's own memory: heap, arena, copies of weights. Mapped files are left out. */
  readonly privateBytes: number;
  /** The most that `privateBytes` was so far; never too little. */
  readonly peakBytes: number;
}

const KIB = 1024;

/**
 * @param pid default: this process
 * @returns undefined if the system does not say, or the process is gone
 */
export function readProcessMemory(pid: number | "self" = "self"): ProcessMemory | undefined {
  try {
    return parseStatus(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return undefined;
  }
}

/** This process's own memory; its whole resident size if the system tells no more. */
export function ownPrivateBytes(): number {
  return readProcessMemory()?.privateBytes ?? process.memoryUsage.rss();
}

/** @param status text of /proc/<pid>/status */
export function parseStatus(status: string): ProcessMemory | undefined {
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * KIB;
  const privateBytes = field("RssAnon");
  const resident = field("VmRSS");
  const highest = field("VmHWM");
  if (Number.isNaN(privateBytes + resident + highest)) return undefined;
  // The highest resident size counts mapped files, of which there were no more then than now.
  const files = resident - privateBytes;
  return { privateBytes, peakBytes: Math.max(privateBytes, highest - files) };
}

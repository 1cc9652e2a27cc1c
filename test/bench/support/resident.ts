import { readFileSync } from "node:fs";
import { processes } from "../../support/processes.js";

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

/**
 * The sum of what a process and its descendants ever held at most. A file that several of them have
 * mapped counts once, with the pages of who holds most of it. Processes of others change nothing,
 * as they would in a proportional size.
 */
export function peakResidentBytesOfTree(root: number): number {
  const pids = treeOf(root);
  const peaks = pids.reduce((sum, pid) => sum + peakResidentBytes(pid), 0);
  const most = new Map<string, number>();
  let mapped = 0;
  for (const pid of pids) {
    for (const [file, bytes] of mappedFiles(pid)) {
      mapped += bytes;
      most.set(file, Math.max(bytes, most.get(file) ?? 0));
    }
  }
  return peaks - mapped + [...most.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function treeOf(root: number): number[] {
  const all = processes();
  const tree = [root];
  // The list grows while it is walked.
  for (const parent of tree) {
    tree.push(...all.filter(({ parentPid }) => parentPid === parent).map(({ pid }) => pid));
  }
  return tree;
}

/** Resident bytes per mapped file, without the pages that the process has written to. */
function mappedFiles(pid: number): Map<string, number> {
  const files = new Map<string, number>();
  let regions: string[] = [];
  try {
    regions = readFileSync(`/proc/${pid}/smaps`, "utf8").split(/^(?=[0-9a-f]+-)/m);
  } catch {
    // It is gone.
  }
  for (const region of regions) {
    const [, , , device = "", inode = "0"] = region.split("\n", 1)[0]?.split(/\s+/) ?? [];
    if (inode === "0") continue;
    const file = `${device} ${inode}`;
    const bytes = (kib(region, "Rss") - kib(region, "Anonymous")) * BYTES_A_KIB;
    files.set(file, (files.get(file) ?? 0) + bytes);
  }
  return files;
}

/** @param region of /proc/PID/smaps, with its fields */
function kib(region: string, field: "Rss" | "Anonymous"): number {
  return Number(new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(region)?.[1] ?? 0);
}

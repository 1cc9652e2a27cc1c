import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ: fixed at 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Seconds of processor time so far: of this process with all its descendants, and of the machine. */
export interface ProcessorTime {
  readonly ours: number;
  readonly machine: number;
}

/** Linux only; zeros elsewhere. */
export function processorTime(): ProcessorTime {
  try {
    return { ours: treeTicks() / TICKS_PER_SECOND, machine: machineTicks() / TICKS_PER_SECOND };
  } catch {
    return { ours: 0, machine: 0 };
  }
}

/** Seconds of processor time that one process has taken so far; 0 if it is gone. */
export function processSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [, , , , , , , , , , , utime, stime] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(utime) + Number(stime)) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

function machineTicks(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (
    readFileSync("/proc/stat", "utf8").split("\n", 1)[0] ?? ""
  )
    .split(/\s+/)
    .map(Number);
  return user + nice + system + irq + softirq;
}

function treeTicks(): number {
  const seen = new Map<number, { readonly parent: number; readonly ticks: number }>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      // The name, in parentheses, may hold anything. Children that ended are in their parents' figures.
      const fields = stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .map(Number);
      const [parent = 0, utime = 0, stime = 0, cutime = 0, cstime = 0] = [1, 11, 12, 13, 14].map(
        (field) => fields[field] ?? 0,
      );
      seen.set(Number(name), { parent, ticks: utime + stime + cutime + cstime });
    } catch {
      // It ended between the listing and the look.
    }
  }
  let ticks = 0;
  for (const [pid, { ticks: own }] of seen) {
    for (let at: number | undefined = pid; at !== undefined; at = seen.get(at)?.parent) {
      if (at !== process.pid) continue;
      ticks += own;
      break;
    }
  }
  return ticks;
}

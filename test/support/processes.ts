/** The kernel's facts about processes; Linux only, elsewhere nothing is seen. */
import { readdirSync, readFileSync } from "node:fs";

export const canSeeProcesses = process.platform === "linux";

export interface SeenProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** `R`, `S`, `T` (stopped), `Z` (dead, not yet reaped) … */
  readonly state: string;
  readonly command: string;
}

/** Undefined if there is no such process, or only its corpse. */
export function look(pid: number): SeenProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold anything.
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X") return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return { pid, parentPid: Number(parent), state, command };
  } catch {
    return undefined;
  }
}

export function processes(): SeenProcess[] {
  if (!canSeeProcesses) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => look(Number(name)))
    .filter((seen) => seen !== undefined);
}

/** Lanes that `parentPid` has started. */
export function lanesOf(parentPid: number): SeenProcess[] {
  return processes().filter(
    (seen) => seen.parentPid === parentPid && seen.command.includes("workers/lane.js"),
  );
}

/**
 * Every living process that inherited the environment variable `name=value`, orphans included: what
 * a command has started, however deep, unless it was given an environment of its own.
 */
export function marked(name: string, value: string): SeenProcess[] {
  const mark = `${name}=${value}`;
  return processes().filter(({ pid }) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(mark);
    } catch {
      return false;
    }
  });
}

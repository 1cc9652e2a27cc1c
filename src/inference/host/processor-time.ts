import { readFileSync } from "node:fs";

/** The kernel counts in hundredths of a second wherever Node runs. */
const TICK_MS = 10;
/** Fields of /proc/<pid>/stat after the command's name: proc(5), 14 and 15 less 3. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/**
 * Processor time that a process has used so far, over all its threads.
 *
 * @returns milliseconds; undefined if the system does not say, or the process is gone
 */
export function readProcessorMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name may hold spaces and parentheses: what counts comes after its last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]);
    return Number.isNaN(ticks) ? undefined : ticks * TICK_MS;
  } catch {
    return undefined;
  }
}

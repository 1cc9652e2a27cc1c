/**
 * Ends what a chaos run has started once the run itself is gone, however it went: `guardian.ts MARK`. The run holds the
 * other end of its channel, and tells it over that what else is to go.
 */
import { rmSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { unmount } from "../../support/mounts.js";
import { marked } from "../../support/processes.js";
import type { Leavings } from "./guard.js";

/** A process that is just being started carries its mark a moment later. */
const QUIET_LOOKS = 5;
const LOOK_INTERVAL_MS = 100;

const [, , variable = "", mark = ""] = process.argv;
let leavings: Leavings = { folders: [], mounts: [] };

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
process.on("message", (said: Leavings) => (leavings = said));
process.once("disconnect", () => void clear());

async function clear(): Promise<void> {
  for (let quiet = 0; quiet < QUIET_LOOKS; quiet += 1) {
    for (const { pid } of marked(variable, mark)) {
      quiet = 0;
      kill(pid);
    }
    await sleep(LOOK_INTERVAL_MS);
  }
  for (const folder of leavings.mounts) {
    try {
      unmount(folder);
    } catch {
      // The run has done so itself.
    }
  }
  for (const folder of leavings.folders) rmSync(folder, { recursive: true, force: true });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

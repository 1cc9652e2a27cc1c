import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../../../src/platform/file-system-errors.js";
import type { FaultKind } from "../fault.js";

const BLOCK = Buffer.alloc(65_536);

/** Writes until nothing fits any more, down to the last byte. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (let bytes = BLOCK.length; bytes >= 1;) {
      try {
        writeSync(file, BLOCK, 0, bytes);
      } catch (error) {
        if (errnoOf(error) !== "ENOSPC") throw error;
        bytes = Math.floor(bytes / 2);
      }
    }
  } finally {
    closeSync(file);
  }
}

export const DISK_FAULTS = {
  /** Full is the disk of the spool in a folder and of the outputs. */
  "disk-full": {
    lasts: [2, 6],
    part: "disk",
    strike: async ({ disk }) => {
      if (!disk.isSmall) return undefined;
      const path = join(disk.folder, "filler");
      fill(path);
      const heal = (): void => rmSync(path, { force: true });
      return await Promise.resolve({ victim: "the spool's disk", heal });
    },
  },
} as const satisfies Record<string, FaultKind>;

import { readFile } from "node:fs/promises";
import { DEFAULT_CONCURRENCY } from "../../worker/worker-options.js";
import type { Check } from "../check.js";
import { note, ok, problem, warning } from "../finding.js";

/** Connections, lanes' channels, libraries and outputs of a worker with nothing else to do. */
const BASE_FILES = 128;
/** A job in hand holds no file of its own, but its connection and a part of a large index may. */
const FILES_PER_JOB = 2;
const ROOM_FACTOR = 4;

/** The process may open as many files as a busy worker holds. */
export const openFiles: Check = {
  name: "open-files",
  needs: "nothing",
  run: async ({ lanes }) => {
    const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
    const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
    if (soft === undefined) {
      return [
        note("the limit of open files is not known here", "see that ulimit -n is 1024 or more"),
      ];
    }
    const least = BASE_FILES + FILES_PER_JOB * (lanes.concurrency ?? DEFAULT_CONCURRENCY);
    const said = `${soft} files may be open, a worker takes up to ${least}`;
    const remedy = `ulimit -n ${ROOM_FACTOR * least}, or LimitNOFILE= of its service`;
    if (Number(soft) < least) return [problem(said, remedy)];
    if (Number(soft) < 2 * least) return [warning(said, remedy)];
    return [ok(said)];
  },
};

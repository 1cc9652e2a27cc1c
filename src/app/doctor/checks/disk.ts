import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { exists } from "../../../platform/files.js";
import type { Check } from "../check.js";
import { ok, problem, warning, type Said } from "../finding.js";
import type { Subject } from "../subject.js";

const GB = 1e9;
/** A run writes its output, and a full disk ends it. */
const LOW_BYTES = GB;
/** `f_type` of a tmpfs: statfs(2). */
const TMPFS_MAGIC = 0x01021994;

/** Folders that are written can be, and have room. */
export const disk: Check = {
  name: "disk",
  needs: "nothing",
  run: async ({ folders, model }) => {
    const said: Said[] = [];
    const modelBytes = model.status === "there" ? model.part.model.file.bytes : 0;
    for (const [what, folder, wantedBytes] of written(folders, modelBytes)) {
      said.push(...(await examineFolder(what, folder, wantedBytes)));
    }
    return said.length > 0 ? said : [ok("every folder can be written and has room")];
  },
};

function written(
  folders: Subject["folders"],
  modelBytes: number,
): readonly (readonly [what: string, folder: string, wantedBytes: number])[] {
  return [
    ["folder of models", folders.models, LOW_BYTES],
    // Weights lie in it as they were and in the layout of the kernels.
    ...(folders.prepared === undefined
      ? []
      : [["folder of prepared models", folders.prepared, 2 * modelBytes] as const]),
    ["folder of calibrations", folders.calibration, 0],
    ["folder of indexes", folders.index, LOW_BYTES],
    ["folder of temporary files", folders.temporary, 0],
  ];
}

async function examineFolder(what: string, folder: string, wantedBytes: number): Promise<Said[]> {
  const there = await nearest(folder);
  const writable = await access(there, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) {
    return [
      warning(
        `the ${what}, ${folder}, may not be written`,
        "give this user the right, or choose another folder; a read-only one must hold all it needs",
      ),
    ];
  }
  const { bavail, bsize, type } = await statfs(there);
  const freeBytes = bavail * bsize;
  const free = `${(freeBytes / GB).toFixed(1)} GB are free for the ${what}, ${folder}`;
  if (freeBytes === 0) return [problem(free, "free some space")];
  if (freeBytes < wantedBytes) {
    return [warning(free, `free at least ${(wantedBytes / GB).toFixed(1)} GB`)];
  }
  if (type === TMPFS_MAGIC && wantedBytes > 0) {
    return [
      warning(
        `the ${what}, ${folder}, lies in memory (tmpfs)`,
        "choose a folder on a disk: files on tmpfs count against the memory limit",
      ),
    ];
  }
  return [];
}

/** The folder itself, or the nearest above it that exists. */
async function nearest(folder: string): Promise<string> {
  let there = folder;
  while (!(await exists(there)) && dirname(there) !== there) there = dirname(there);
  return there;
}

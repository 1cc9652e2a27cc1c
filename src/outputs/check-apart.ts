import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { RankmillError } from "../core/errors.js";
import { option, wording } from "../core/wording.js";
import type { PlaceRead } from "../inputs/places-read.js";
import { identityOf } from "../platform/file-identity.js";
import { temporariesOf, type OutputPaths } from "./output-paths.js";

const STDIN = 0;
const STDOUT = 1;
/** The files of a collection lie two folders deep at the most: `qrels/test.tsv`. */
const FOLDER_DEPTH = 2;

/**
 * Refuses to write what is also read, by device and inode: whatever its name, and even if it may be
 * replaced.
 *
 * @param paths undefined: the output is standard output
 * @throws RankmillError `conflict` that names both
 */
export async function checkApart(
  paths: OutputPaths | undefined,
  reads: readonly PlaceRead[],
): Promise<void> {
  const written =
    paths === undefined
      ? [STDOUT]
      : [...Object.values<string>({ ...paths }), ...temporariesOf(paths)];
  const writtenBy = new Map<string, string | number>();
  for (const place of written) {
    const identity = await identityOf(place);
    if (identity !== undefined) writtenBy.set(identity, place);
  }
  if (writtenBy.size === 0) return;
  for (const { option: name, path } of reads) {
    for (const file of await filesOf(path)) {
      const identity = await identityOf(file);
      const place = identity === undefined ? undefined : writtenBy.get(identity);
      if (place === undefined) continue;
      const which = file === STDIN ? "standard input" : String(file);
      const where = place === STDOUT ? "standard output" : String(place);
      throw new RankmillError(
        "conflict",
        wording`${option("output")} ${paths?.output ?? "-"}: ${where} is the same file as ${which}, which ${option(name)} reads, and would be destroyed: choose another output`,
      );
    }
  }
}

/** The file itself, or all that lie in the folder. */
async function filesOf(path: string, depth = FOLDER_DEPTH): Promise<(string | number)[]> {
  if (path === "-") return [STDIN];
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return [path];
  if (depth === 0) return [];
  const names = await readdir(path).catch((): string[] => []);
  return (await Promise.all(names.map((name) => filesOf(join(path, name), depth - 1)))).flat();
}

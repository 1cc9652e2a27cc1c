/** The files that the owners of a run wrote, one each. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ownLines } from "../../inputs/read/lines.js";
import { exists } from "../../platform/files.js";
import { checkedLines, wholeLines, type CheckedLine, type Sums } from "./checked-lines.js";
import type { SpoolDamage } from "./spool-damage.js";
import { mergeLines } from "./spool-lines.js";

const SEGMENT = /^\d{1,15}(\.jsonl|\.failed)$/;
const OWN_NAME = /^\d{1,15}\.(jsonl|failed|sums)$/;

/** The place of the sums beside a file of lines. */
export function sumsPathOf(path: string): string {
  return path.replace(/\.jsonl$/, ".sums");
}

/**
 * The lines of all segments, in order of their fences.
 *
 * @param summed whether every owner of this run writes sums: what has none was not written by one
 */
export async function* mergedLines(
  folder: string,
  summed: boolean,
  damage?: SpoolDamage,
): AsyncGenerator<string, void, undefined> {
  const paths = await segmentsOf(folder, ".jsonl", damage);
  yield* mergeLines(paths.map((path) => segmentLines(path, summed, damage)));
}

/** Paths of what each owner wrote, in order of their fences. */
export async function segmentsOf(
  folder: string,
  ending: ".jsonl" | ".failed",
  damage?: SpoolDamage,
): Promise<string[]> {
  const paths: { fence: number; path: string }[] = [];
  for (const name of await readdir(folder).catch((): string[] => [])) {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => undefined);
    if (!OWN_NAME.test(name) || stats?.isFile() !== true) {
      damage?.add(`${path} is no file that a runner wrote`);
    } else if (SEGMENT.test(name) && name.endsWith(ending)) {
      paths.push({ fence: Number.parseInt(name, 10), path });
    }
  }
  return paths.sort((a, b) => a.fence - b.fence).map(({ path }) => path);
}

/** Opens the file once it is read, and not before: a run may have many segments. */
export async function* linesOf(path: string): AsyncGenerator<string, void, undefined> {
  yield* ownLines(createReadStream(path));
}

/** As `linesOf`: who never asks for it opens nothing that stays open. */
async function* textOf(path: string): AsyncGenerator<string, void, undefined> {
  for await (const piece of createReadStream(path, "latin1")) yield String(piece);
}

/** The lines of a file compared with the sums beside it, if there are any. */
export async function* linesBesideSums(
  path: string,
  believesRest: boolean,
): AsyncGenerator<CheckedLine, void, undefined> {
  const sumsPath = sumsPathOf(path);
  const text = (await exists(sumsPath)) ? textOf(sumsPath) : undefined;
  const sums: Sums | undefined = text === undefined ? undefined : { text, believesRest };
  yield* checkedLines(linesOf(path), sums);
}

async function* segmentLines(
  path: string,
  summed: boolean,
  damage: SpoolDamage | undefined,
): AsyncGenerator<string, void, undefined> {
  if (summed && !(await exists(sumsPathOf(path)))) {
    damage?.add(`${path} has no checksums: no runner wrote it`);
    return;
  }
  yield* wholeLines(linesBesideSums(path, false), path, damage, true);
}

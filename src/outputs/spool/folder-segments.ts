/** The files that the owners of a run wrote, one each. */
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ownLines } from "../../inputs/read/lines.js";
import { mergeLines } from "./spool-lines.js";

/** The lines of all segments, in order of their fences. */
export async function* mergedLines(folder: string): AsyncGenerator<string, void, undefined> {
  yield* mergeLines((await segmentsOf(folder, ".jsonl")).map(linesOf));
}

/** Paths of what each owner wrote, in order of their fences. */
export async function segmentsOf(folder: string, ending: ".jsonl" | ".failed"): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names
    .filter((name) => name.endsWith(ending))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) => join(folder, name));
}

/** Opens the file once it is read, and not before: a run may have many segments. */
export async function* linesOf(path: string): AsyncGenerator<string, void, undefined> {
  yield* ownLines(createReadStream(path));
}

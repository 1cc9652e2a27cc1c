import { createReadStream } from "node:fs";
import { open, truncate } from "node:fs/promises";
import { RankmillError } from "../core/errors.js";
import { countLine, type RunCounts } from "../core/run-counts.js";
import { readLines, type Line } from "../inputs/read/lines.js";
import { exists } from "../platform/files.js";
import { option, wording } from "../core/wording.js";

/** Reads what an earlier start wrote and cuts off a line that a crash tore. */
export async function readDone(path: string, counts: RunCounts): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  if (!(await exists(path))) return ids;
  await cutTornLine(path);
  for await (const line of readLines(createReadStream(path), {
    maxLineBytes: Number.MAX_SAFE_INTEGER,
  })) {
    ids.add(readRanked(path, line, counts));
  }
  return ids;
}

/** @throws RankmillError `place_unusable` for a line that no run wrote: going on would carry the damage along */
function readRanked(path: string, line: Line, counts: RunCounts): string {
  try {
    if (line.status === "line") return countLine(line.text, counts);
  } catch {
    // Said below, with the line's number.
  }
  throw new RankmillError(
    "place_unusable",
    wording`${path}: line ${line.lineNumber} is not a ranking: mend or delete the file, or start over with ${option("forceNew")}`,
  );
}

const TAIL_BYTES = 65_536;
const NEWLINE = 10;

async function cutTornLine(path: string): Promise<void> {
  const file = await open(path, "r");
  let end: number;
  try {
    const { size } = await file.stat();
    end = 0;
    const tail = Buffer.alloc(TAIL_BYTES);
    for (let at = size; at > 0 && end === 0; at -= TAIL_BYTES) {
      const start = Math.max(0, at - TAIL_BYTES);
      const { bytesRead } = await file.read(tail, 0, at - start, start);
      end = start + tail.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
      if (end === start) end = 0;
    }
    if (end === size) return;
  } finally {
    await file.close();
  }
  await truncate(path, end);
}

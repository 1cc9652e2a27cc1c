import { createReadStream } from "node:fs";
import { open, truncate } from "node:fs/promises";
import { z } from "zod";
import { countLine, emptyCounts, type RunCounts } from "../core/run-counts.js";
import { readLines, type Line } from "../inputs/read/lines.js";
import { exists } from "../platform/files.js";
import { WholeFile } from "../platform/whole-file.js";
import { temporaryOf } from "./output-paths.js";
import { readSums, sumOf, sumsLine, UNKNOWN_DIGEST, type RankingSums } from "./ranking-sums.js";

/** The rankings that an earlier start wrote. */
export interface DoneRankings {
  /** Digests of the ranked requests, by id; `UNKNOWN_DIGEST` if nobody knows. */
  readonly digests: ReadonlyMap<string, number>;
  /** Lines that could not be read, or were not what was written: their records are ranked anew. */
  readonly damaged: number;
  /** Rankings that had an older one beside them, which is gone. */
  readonly twice: number;
  /** Whether every ranking has its sum beside it. */
  readonly summed: boolean;
  /** Ids of the last {@link NEWEST_RANKINGS}: the start that wrote them may have died before it released their jobs. */
  readonly newest: ReadonlySet<string>;
}

/** A start releases what it has written a few hundred rankings later at most, and several starts may have died. */
const NEWEST_RANKINGS = 2_000;

/** The least that a line must hold to count as a ranking. */
const rankingSchema = z.object({
  id: z.string().min(1),
  results: z.array(z.unknown()),
  usage: z.object({ pairs: z.int().min(0), tokens: z.int().min(0), truncated: z.int().min(0) }),
});

const ANY_LENGTH = { maxLineBytes: Number.MAX_SAFE_INTEGER };

/**
 * Reads what an earlier start wrote, and mends it: a line that a crash tore is cut off, one that is
 * damaged is left out, and of two with one id the newer one stays.
 *
 * @param dropped ids whose rankings are not wanted any more
 */
export async function readDone(
  path: string,
  sumsPath: string,
  counts: RunCounts,
  dropped: ReadonlySet<string> = new Set(),
): Promise<DoneRankings> {
  if (!(await exists(path))) {
    return { digests: new Map(), damaged: 0, twice: 0, summed: true, newest: new Set() };
  }
  await cutTornLine(path);
  if (await exists(sumsPath)) await cutTornLine(sumsPath);
  const sums = await readSums(sumsPath);
  const found = await survey(path, sums, counts, dropped);
  const { digests, lineOf, lines } = found;
  const isClean = lines === digests.size;
  if (!isClean) {
    Object.assign(counts, {
      ...emptyCounts(),
      failed: counts.failed,
      failedByCode: counts.failedByCode,
    });
    await rewrite(path, sums, lineOf, counts);
  }
  const summed = sums !== undefined && isClean;
  return { digests, damaged: found.damaged, twice: found.twice, summed, newest: newestOf(found) };
}

/** Makes the sums of all rankings in the file anew. */
export async function writeSums(
  path: string,
  sumsPath: string,
  digests: ReadonlyMap<string, number>,
): Promise<void> {
  async function* lines(): AsyncGenerator<string> {
    for await (const line of readLines(createReadStream(path), ANY_LENGTH)) {
      const id = idOf(line);
      if (id === undefined || line.status !== "line") continue;
      yield sumsLine(line.text, digests.get(id) ?? UNKNOWN_DIGEST);
    }
  }
  await WholeFile.write(sumsPath, (await exists(path)) ? lines() : [], temporaryOf(sumsPath));
}

interface Survey {
  readonly digests: Map<string, number>;
  /** The number of the line that counts, by id. */
  readonly lineOf: Map<string, number>;
  lines: number;
  damaged: number;
  twice: number;
}

async function survey(
  path: string,
  sums: RankingSums | undefined,
  counts: RunCounts,
  dropped: ReadonlySet<string>,
): Promise<Survey> {
  const found: Survey = { digests: new Map(), lineOf: new Map(), lines: 0, damaged: 0, twice: 0 };
  for await (const line of readLines(createReadStream(path), ANY_LENGTH)) {
    found.lines += 1;
    const id = idOf(line);
    const digest = digestFor(line, sums);
    if (id === undefined || digest === undefined || line.status !== "line") {
      found.damaged += 1;
      continue;
    }
    if (dropped.has(id)) continue;
    if (found.digests.has(id)) found.twice += 1;
    found.digests.set(id, digest);
    found.lineOf.set(id, line.lineNumber);
    countLine(line.text, counts);
  }
  return found;
}

function newestOf({ lineOf, lines }: Survey): Set<string> {
  const newest = new Set<string>();
  for (const [id, line] of lineOf) if (line > lines - NEWEST_RANKINGS) newest.add(id);
  return newest;
}

/** Keeps the lines that count, and no others. */
async function rewrite(
  path: string,
  sums: RankingSums | undefined,
  lineOf: ReadonlyMap<string, number>,
  counts: RunCounts,
): Promise<void> {
  async function* kept(): AsyncGenerator<string> {
    for await (const line of readLines(createReadStream(path), ANY_LENGTH)) {
      const id = idOf(line);
      if (id === undefined || line.status !== "line") continue;
      if (lineOf.get(id) !== line.lineNumber || digestFor(line, sums) === undefined) continue;
      countLine(line.text, counts);
      yield `${line.text}\n`;
    }
  }
  await WholeFile.write(path, kept(), temporaryOf(path));
}

/** @returns undefined for a line that is not what was written */
function digestFor(line: Line, sums: RankingSums | undefined): number | undefined {
  if (line.status !== "line") return undefined;
  return sums === undefined ? UNKNOWN_DIGEST : sums.get(sumOf(line.text));
}

/** @returns undefined for a line that is no ranking */
function idOf(line: Line): string | undefined {
  if (line.status !== "line") return undefined;
  try {
    return rankingSchema.parse(JSON.parse(line.text)).id;
  } catch {
    return undefined;
  }
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

/** Checksums of the lines that lie in a bucket. */
import { once } from "node:events";
import { PassThrough } from "node:stream";
import {
  checkedLines,
  sumCell,
  SUMS_END,
  wholeLines,
  type CheckedLine,
  type Sums,
} from "./checked-lines.js";
import type { S3Bucket, S3Entry } from "./s3-bucket.js";
import type { SpoolDamage } from "./spool-damage.js";

/** The first line of a segment begins with it; its sums follow. */
const SEGMENT_SUMS = "sums ";
/** Ends a sum there, in place of the end of line. */
const CELL_END = ",";
/** Sums that are handed on at once: a stream of single ones would be slow. */
const PIECE_CHARS = 65_536;

/** The key of the sums beside an object of lines. */
export function sumsKeyOf(key: string): string {
  return key.replace(/\.jsonl$/, ".sums");
}

/** Stores an object of lines, and their sums in one beside it, which is there before. Memory: a few parts of each. */
export async function putSummed(
  bucket: S3Bucket,
  key: string,
  lines: AsyncIterable<string>,
): Promise<void> {
  const sums = new PassThrough();
  const storing = bucket.putBytes(sumsKeyOf(key), sums);
  storing.catch(() => {});
  sums.on("error", () => {});
  const summed = async function* (): AsyncGenerator<string> {
    let piece = "";
    for await (const line of lines) {
      piece += sumCell(line);
      if (piece.length >= PIECE_CHARS) {
        if (!sums.write(piece)) await Promise.race([once(sums, "drain"), storing]);
        piece = "";
      }
      yield line;
    }
    sums.end(piece + SUMS_END);
    await storing;
  };
  try {
    await bucket.putLines(key, summed());
  } catch (error) {
    sums.destroy(error instanceof Error ? error : undefined);
    await storing.catch(() => {});
    throw error;
  }
}

/** The lines of an object, compared with the sums beside it, if there are any; none of one that is not there. */
export async function* linesBesideSums(
  bucket: S3Bucket,
  key: string,
): AsyncGenerator<CheckedLine, void, undefined> {
  const [entry, sumsEntry] = await Promise.all([bucket.find(key), bucket.find(sumsKeyOf(key))]);
  if (entry === undefined) return;
  const sums: Sums | undefined =
    sumsEntry === undefined ? undefined : { text: bucket.text(sumsEntry), believesRest: true };
  yield* checkedLines(bucket.lines(entry), sums);
}

/** Rankings as the text of a segment, their sums first. */
export function summedText(lines: readonly string[]): string {
  const cells = [...lines.map(sumCell), SUMS_END].join("");
  return `${SEGMENT_SUMS}${cells.replaceAll("\n", CELL_END)}\n${lines.join("\n")}\n`;
}

/**
 * The rankings of a segment.
 *
 * @param summed whether every owner of this run writes sums: what has none was not written by one
 */
export async function* segmentLines(
  bucket: S3Bucket,
  segment: S3Entry,
  summed: boolean,
  damage: SpoolDamage | undefined,
): AsyncGenerator<string, void, undefined> {
  if (!summed) {
    yield* bucket.lines(segment);
    return;
  }
  let cells: string | undefined;
  const rankings = async function* (): AsyncGenerator<string, void, undefined> {
    for await (const line of bucket.lines(segment)) {
      if (cells !== undefined) yield line;
      else if (line.startsWith(SEGMENT_SUMS)) cells = line.slice(SEGMENT_SUMS.length);
      else {
        damage?.add(`${segment.key} has no checksums: no runner wrote it`);
        return;
      }
    }
  };
  // Asked for sums once the first ranking is there, and hence the line before it.
  const text = async function* (): AsyncGenerator<string, void, undefined> {
    yield await Promise.resolve((cells ?? "").replaceAll(CELL_END, "\n"));
  };
  const sums = { text: text(), believesRest: false };
  yield* wholeLines(checkedLines(rankings(), sums), segment.key, damage, false);
}

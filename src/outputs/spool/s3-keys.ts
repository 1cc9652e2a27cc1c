/** The objects of a run: their keys, and those that its owners wrote. */
import { checkRunId } from "../../redis/run-info.js";
import type { S3Bucket, S3Entry } from "./s3-bucket.js";

export const SEGMENTS = "rankings";
export type SegmentEnding = ".jsonl" | ".failed";

export function recordsKey(run: string): string {
  return `${checkRunId(run)}/records.jsonl`;
}

export function outputKey(run: string): string {
  return `${checkRunId(run)}/output.jsonl`;
}

export function failedKey(run: string): string {
  return `${checkRunId(run)}/failed.jsonl`;
}

/** Owner and number of a segment, by its key. */
export function placeOf(key: string): { fence: number; number: number } {
  const [fence = "0", number = "0"] = key.slice(key.lastIndexOf("/") + 1).split("-");
  return { fence: Number.parseInt(fence, 10), number: Number.parseInt(number, 10) };
}

/** Keys that each owner wrote, in order of fences and numbers. */
export async function segmentsOf(
  bucket: S3Bucket,
  run: string,
  ending: SegmentEnding,
): Promise<S3Entry[]> {
  const found = await bucket.list(`${checkRunId(run)}/${SEGMENTS}/`);
  return found
    .filter(({ key }) => key.endsWith(ending))
    .map((entry) => ({ entry, place: placeOf(entry.key) }))
    .sort((a, b) => a.place.fence - b.place.fence || a.place.number - b.place.number)
    .map(({ entry }) => entry);
}

export async function* concatenated(
  bucket: S3Bucket,
  segments: readonly S3Entry[],
): AsyncGenerator<string, void, undefined> {
  for (const segment of segments) yield* bucket.lines(segment);
}

/** One by one would take minutes for a run of thousands of segments. */
const REMOVED_AT_ONCE = 16;

export async function removeAll(bucket: S3Bucket, entries: readonly S3Entry[]): Promise<void> {
  for (let at = 0; at < entries.length; at += REMOVED_AT_ONCE) {
    await Promise.all(entries.slice(at, at + REMOVED_AT_ONCE).map(({ key }) => bucket.remove(key)));
  }
}

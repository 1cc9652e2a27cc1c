import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { onTestFinished } from "vitest";

/** All that an iteration yields. (`Array.fromAsync` came with Node 22.) */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** The input in chunks of the size given: every boundary inside a line and a character occurs. */
export function inChunks(input: string | Uint8Array, size = 64): Readable {
  const bytes = Buffer.from(input);
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    chunks.push(bytes.subarray(start, start + size));
  }
  return Readable.from(chunks);
}

/** A folder of this test alone, removed when it is over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rankmill-formats-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Small zstd files that declare, or expand to, far more than their size: each in a process of its own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dist } from "../support/dist.js";

const MiB = 2 ** 20;
/** A process that has loaded the reader has 60 MiB; the bound of a window is 128. */
const MOST_BYTES = 320 * MiB;
const SOUND = readFileSync("test/fixtures/formats/lines.txt.zst");
const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** An empty last block. */
const END = [1, 0, 0];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-zstd-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly bytes: number;
  readonly said: string;
  readonly peakBytes: number;
}

function read(bytes: Uint8Array): Outcome {
  const path = join(folder, "input.zst");
  writeFileSync(path, bytes);
  const module = pathToFileURL(join(dist, "src/inputs/read/open-input.js")).href;
  const said = execFileSync(process.execPath, ["test/support/peak-memory.mjs", module, path]);
  return JSON.parse(said.toString()) as Outcome;
}

function u32(value: number): number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return [...bytes];
}

/** A frame in a single segment that declares its content. */
function single(contentBytes: number, rest: readonly number[] = END): Buffer {
  return Buffer.from([...MAGIC, 0b1010_0000, ...u32(contentBytes), ...rest]);
}

/** 44 bytes that took 2 GB: a single segment with a content size of 8 bytes, and what a fuzzer put behind. */
const BOMB = Buffer.concat([
  Buffer.from([...MAGIC, 0b1110_0000, ...u32(0x7f00_0000), 0, 0, 0, 0]),
  Buffer.alloc(31, 0x41),
]);

describe("a small zstd file", () => {
  it.each([
    ["one frame", BOMB],
    ["a frame behind a sound one", Buffer.concat([SOUND, BOMB])],
    [
      "a frame with a dictionary and a window of its own",
      Buffer.from([...MAGIC, 3, 21 << 3, 1, 2, 3, 4, ...END, 0, 0, 0]),
    ],
  ])("a stream that declares gigabytes is refused before memory is taken: %s", (_name, bytes) => {
    expect(BOMB).toHaveLength(44);
    const { said, peakBytes } = read(bytes);
    expect(said).toMatch(/the zstd window has \d+ bytes, over the limit of 134217728/);
    expect(peakBytes).toBeLessThan(MOST_BYTES);
  });

  it("many frames that declare the largest window each are held one at a time", () => {
    const frames = Array.from({ length: 60 }, () => single(128 * MiB));
    const { bytes, said, peakBytes } = read(Buffer.concat(frames));
    expect({ bytes, said }).toEqual({ bytes: 0, said: "" });
    expect(peakBytes).toBeLessThan(MOST_BYTES);
  });

  it("a stream of blocks that are larger than blocks may be is refused", () => {
    const blocks = Array.from({ length: 1000 }, () => [0xfa, 0xff, 0xff, 0x41]).flat();
    const { bytes, said, peakBytes } = read(single(128 * MiB, [...blocks, ...END]));
    expect(said).toContain("a zstd block has 2097151 bytes: over 131072");
    expect(bytes).toBe(0);
    expect(peakBytes).toBeLessThan(MOST_BYTES);
  });

  it("a stream that ends within the head of a frame is cut short, though the rest could be guessed", () => {
    const { said, peakBytes } = read(Buffer.concat([SOUND, BOMB.subarray(0, 11)]));
    expect(said).toContain("is cut short");
    expect(peakBytes).toBeLessThan(MOST_BYTES);
  });
});

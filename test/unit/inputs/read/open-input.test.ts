import { readFileSync } from "node:fs";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openInput } from "../../../../src/inputs/read/open-input.js";
import { collect, inChunks, temporaryFolder } from "../support.js";

const TEXT = Array.from({ length: 12_000 }, (_, i) => `line ${i} ${(i * 7919) % 1000} é中`).join(
  "\n",
);
/** TEXT as `zstd -19` writes it, two blocks and a checksum: Node 20 cannot make one itself. */
const ZSTD = readFileSync("test/fixtures/formats/lines.txt.zst");
const SKIPPABLE = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const COMPRESSED = { gzip: gzipSync(TEXT), zstd: ZSTD } as const;

async function read(path: string, stdin?: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const input = await openInput(path, stdin === undefined ? {} : { stdin });
  try {
    return Buffer.concat(await collect(input.chunks));
  } finally {
    await input.close();
  }
}

async function fileOf(name: string, bytes: string | Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, bytes);
  return path;
}

describe("openInput", () => {
  it.each(["gzip", "zstd"] as const)(
    "undoes %s, told by the bytes and not by the name",
    async (kind) => {
      const path = await fileOf("plain.jsonl", COMPRESSED[kind]);
      const input = await openInput(path);
      expect(input.compression).toBe(kind);
      expect(input.sizeBytes).toBe(COMPRESSED[kind].length);
      expect(Buffer.concat(await collect(input.chunks)).toString()).toBe(TEXT);
      expect(input.bytesRead()).toBe(COMPRESSED[kind].length);
      await input.close();
    },
  );

  it.each(["gzip", "zstd"] as const)("reads %s whose parts were appended", async (kind) => {
    const part = COMPRESSED[kind];
    const skippable = kind === "zstd" ? [SKIPPABLE] : [];
    const bytes = Buffer.concat([...skippable, part, part, ...skippable, part]);
    expect((await read(await fileOf("parts", bytes))).toString()).toBe(TEXT.repeat(3));
  });

  it("says that a file became shorter while it was read", async () => {
    const path = await fileOf("long.jsonl", "x".repeat(2_000_000));
    const input = await openInput(path);
    await truncate(path, 1_000_000);
    await expect(collect(input.chunks)).rejects.toThrow(
      /long\.jsonl became shorter while it was read: it had 2000000 bytes/,
    );
    await input.close();
  });

  it.each([1, 5, 1000])(
    "reads standard input in chunks of %d bytes, compressed or not",
    async (size) => {
      for (const bytes of [gzipSync("a\nb"), Buffer.from("a\nb")]) {
        expect((await read("-", inChunks(bytes, size))).toString()).toBe("a\nb");
      }
      expect((await read("-", inChunks(ZSTD, size))).toString()).toBe(TEXT);
    },
  );

  it("leaves plain text alone, shorter than any magic or empty too", async () => {
    for (const text of ["", "a", "{}\n", TEXT]) {
      expect((await read(await fileOf("plain", text))).toString()).toBe(text);
    }
  });

  it.each(["gzip", "zstd"] as const)(
    "says that %s was cut short, wherever it was cut",
    async (kind) => {
      const whole = COMPRESSED[kind];
      for (const length of [7, 20, whole.length >> 1, whole.length - 1]) {
        const path = await fileOf("cut.bin", whole.subarray(0, length));
        await expect(read(path), `${length} bytes`).rejects.toMatchObject({
          code: "input_unusable",
          message: expect.stringContaining(`${path} is cut short`) as unknown,
        });
      }
      // After a whole part as well: this is where a reader would end without a word.
      const path = await fileOf("cut.bin", Buffer.concat([whole, whole.subarray(0, 6)]));
      await expect(read(path)).rejects.toThrow("is cut short");
    },
  );

  it("yields what came before the cut", async () => {
    const path = await fileOf("cut.zst", ZSTD.subarray(0, ZSTD.length - 10));
    const input = await openInput(path);
    let text = "";
    const reading = async () => {
      for await (const chunk of input.chunks) text += Buffer.from(chunk).toString("latin1");
    };
    await expect(reading()).rejects.toThrow("is cut short");
    expect(text.length).toBeGreaterThan(100_000);
  });

  it("says that a .gz or .zst of no bytes was cut short", async () => {
    for (const name of ["empty.gz", "empty.zst"]) {
      await expect(read(await fileOf(name, ""))).rejects.toThrow("is cut short");
    }
  });

  it("says that compressed data is damaged", async () => {
    const damaged = Buffer.from(COMPRESSED.gzip);
    damaged.writeUInt32LE(1, damaged.length - 8);
    await expect(read(await fileOf("x.gz", damaged))).rejects.toThrow(/x\.gz cannot be read: /);
    const garbage = Buffer.concat([ZSTD, Buffer.from("garbage after the last frame")]);
    await expect(read(await fileOf("x.zst", garbage))).rejects.toThrow(/x\.zst cannot be read: /);
  });

  it("refuses a zstd window that would not fit into memory", async () => {
    // A frame header alone: window exponent 21 (2 GiB), no content size.
    const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0, 0, 0, 0]);
    await expect(read(await fileOf("x.zst", header))).rejects.toThrow(
      "has 2147483648 bytes, over the limit of 134217728",
    );
  });

  it("names a compression that is not read", async () => {
    const xz = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2]);
    await expect(read(await fileOf("a.xz", xz))).rejects.toThrow("compressed with xz");
    await expect(read(await fileOf("a.bz2", "BZh91AY"))).rejects.toThrow("compressed with bzip2");
    await expect(read(await fileOf("a.zip", "PK\u0003\u0004"))).rejects.toThrow("a zip archive");
  });

  it("names a file that is missing, a folder, and standard input if there is none", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "sub"));
    await expect(read(join(folder, "none"))).rejects.toThrow(/none: no such file/);
    await expect(read(join(folder, "sub"))).rejects.toThrow(/sub is a folder, not a file/);
    await expect(openInput("-")).rejects.toMatchObject({ code: "input_unusable" });
  });

  it("can be closed before it was read to its end", async () => {
    const input = await openInput(await fileOf("big.gz", COMPRESSED.gzip));
    for await (const chunk of input.chunks) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await input.close();
    await input.close();
  });
});

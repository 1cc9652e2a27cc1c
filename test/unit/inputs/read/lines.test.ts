import { describe, expect, it } from "vitest";
import {
  countLines,
  parseJsonLine,
  readLines,
  type Line,
  type UnreadableLine,
} from "../../../../src/inputs/read/lines.js";
import { collect, inChunks } from "../support.js";

const LIMIT = 100;

async function linesOf(input: string | Uint8Array, chunkSize = 7): Promise<Line[]> {
  return collect(readLines(inChunks(input, chunkSize), { maxLineBytes: LIMIT }));
}

function texts(lines: readonly Line[]): [number, string][] {
  return lines.map((line) => [line.lineNumber, line.status === "line" ? line.text : line.code]);
}

function onlyUnreadable(lines: readonly Line[]): UnreadableLine {
  const found = lines.filter((line) => line.status === "unreadable");
  expect(found).toHaveLength(1);
  const [first] = found;
  if (first === undefined) throw new Error("no unreadable line");
  return first;
}

async function* failing() {
  yield Buffer.from("a\nb");
  throw new Error("the disk is gone");
}

describe("readLines", () => {
  it.each([1, 2, 3, 7, 1000])("reads the same lines in chunks of %d bytes", async (chunkSize) => {
    const input = "\uFEFFfirst\r\n\n  \t\nüñí 中文 😀\nlast without end";
    expect(texts(await linesOf(input, chunkSize))).toEqual([
      [1, "first"],
      [4, "üñí 中文 😀"],
      [5, "last without end"],
    ]);
  });

  it("yields nothing for an empty input, a mark alone and blank lines alone", async () => {
    for (const input of ["", "\uFEFF", "\n\r\n\n", "   "]) {
      expect(await linesOf(input)).toEqual([]);
    }
  });

  it("leaves a carriage return inside a line, NUL, and a mark on a later line alone", async () => {
    expect(texts(await linesOf("a\rb\u0000c\n\uFEFFd\n"))).toEqual([
      [1, "a\rb\u0000c"],
      [2, "\uFEFFd"],
    ]);
  });

  it("does not take a line separator of Unicode for an end of line", async () => {
    expect(texts(await linesOf("a\u2028b\u0085c\n"))).toEqual([[1, "a\u2028b\u0085c"]]);
  });

  it.each([1, 7, 64, 100_000])(
    "reports an over-long line with length and limit and goes on (chunks of %d)",
    async (chunkSize) => {
      const lines = await linesOf(`ok\n${"é".repeat(600)}\r\nnext\n`, chunkSize);
      expect(texts(lines)).toEqual([
        [1, "ok"],
        [2, "limit_exceeded"],
        [3, "next"],
      ]);
      const bad = onlyUnreadable(lines);
      expect(bad.message).toBe("line 2 has 1200 bytes, over the limit of 100");
      expect(bad.head).toBe("é".repeat(512));
    },
  );

  it.each([1, 7, 1000])("counts bytes exactly at the limit (chunks of %d)", async (chunkSize) => {
    const fits = "x".repeat(LIMIT);
    const input = `\uFEFF${fits}\r\n${fits}x\r\n${fits}\n${fits}x`;
    expect(texts(await linesOf(input, chunkSize))).toEqual([
      [1, fits],
      [2, "limit_exceeded"],
      [3, fits],
      [4, "limit_exceeded"],
    ]);
  });

  it("does not cut a character when it shows the head of a line", async () => {
    const bad = onlyUnreadable(await linesOf(`x${"中".repeat(500)}\n`));
    expect(bad.head).toBe(`x${"中".repeat(341)}`);
  });

  it.each([1, 5, 1000])("reports a line that is not UTF-8 (chunks of %d)", async (chunkSize) => {
    const input = Buffer.concat([
      Buffer.from("good é\nbad "),
      Buffer.from([0xc3, 0x28, 0xff]),
      Buffer.from("\ngood 中\n"),
    ]);
    const lines = await linesOf(input, chunkSize);
    expect(texts(lines)).toEqual([
      [1, "good é"],
      [2, "invalid_json"],
      [3, "good 中"],
    ]);
    const bad = onlyUnreadable(lines);
    expect(bad.message).toBe("line 2 is not valid UTF-8");
    expect(bad.head).toBe("bad \uFFFD(\uFFFD");
  });

  it("holds a line of a gigabyte without its bytes", async () => {
    const chunk = Buffer.alloc(1_000_000, "x");
    async function* endless() {
      for (let index = 0; index < 1000; index += 1) yield chunk;
      yield Buffer.from("\nafter\n");
    }
    const before = process.memoryUsage().rss;
    const lines = await collect(readLines(endless(), { maxLineBytes: LIMIT }));
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
    expect(texts(lines)).toEqual([
      [1, "limit_exceeded"],
      [2, "after"],
    ]);
    expect(onlyUnreadable(lines).message).toContain("1000000000 bytes");
  });

  it("hands on the error of its source", async () => {
    const read: string[] = [];
    const reading = async () => {
      for await (const line of readLines(failing(), { maxLineBytes: LIMIT })) {
        if (line.status === "line") read.push(line.text);
      }
    };
    await expect(reading()).rejects.toThrow("the disk is gone");
    expect(read).toEqual(["a"]);
  });
});

describe("countLines", () => {
  it("counts what readLines would yield", async () => {
    const input = `\uFEFFa\n\n b\r\n${"x".repeat(500)}\n\n\nlast`;
    const options = { maxLineBytes: LIMIT };
    expect(await countLines(inChunks(input, 9), options)).toBe(4);
    expect(await linesOf(input)).toHaveLength(4);
  });
});

describe("parseJsonLine", () => {
  it("parses a line and reports one that is not JSON in its place", async () => {
    const input = '{"id":"a"}\n{"id":\n[1]\n';
    const read = await collect(readLines(inChunks(input, 5), { maxLineBytes: LIMIT }));
    const lines = read.map((line) => (line.status === "line" ? parseJsonLine(line) : line));
    expect(lines).toMatchObject([
      { status: "parsed", lineNumber: 1, value: { id: "a" } },
      { status: "unreadable", lineNumber: 2, code: "invalid_json", head: '{"id":' },
      { status: "parsed", lineNumber: 3, value: [1] },
    ]);
    expect(lines[1]).toHaveProperty("message", expect.stringMatching(/^line 2 is not JSON: /));
  });
});

import { describe, expect, it } from "vitest";
import { boundaryOf, readField, readForm } from "../../../../producers/gateway/multipart.js";

const BOUNDARY = "----rankmill";
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

interface Sent {
  readonly name: string;
  readonly filename?: string;
  readonly text: string;
}

function formOf(parts: readonly Sent[]): Buffer {
  const texts = parts.map(({ name, filename, text }) => {
    const file = filename === undefined ? "" : `; filename="${filename}"`;
    const head = `Content-Disposition: form-data; name="${name}"${file}`;
    return `--${BOUNDARY}\r\n${head}\r\nContent-Type: text/plain\r\n\r\n${text}\r\n`;
  });
  return Buffer.from(`${texts.join("")}--${BOUNDARY}--\r\n`);
}

/** @param size bytes that come at once */
async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
  }
}

async function read(bytes: Buffer, size: number): Promise<Sent[]> {
  const parts: Sent[] = [];
  for await (const part of readForm(inPieces(bytes, size), BOUNDARY)) {
    const { name, filename } = part;
    const text = await readField(part);
    parts.push({ name, ...(filename === undefined ? {} : { filename }), text });
  }
  return parts;
}

const PARTS: readonly Sent[] = [
  { name: "purpose", text: "batch" },
  // All that looks like an end and is none.
  {
    name: "file",
    filename: "a.jsonl",
    text: `x\r\n-\r\n--\r\n--${BOUNDARY.slice(0, -1)}\r\n\r\n--x`,
  },
  { name: "empty", text: "" },
];

describe("a multipart form", () => {
  it.each([1, 2, 3, 7, 41, 64, 1_000_000])(
    "is read in pieces of %i bytes as in one",
    async (size) => {
      expect(await read(formOf(PARTS), size)).toEqual(PARTS);
    },
  );

  it("of fetch's own is read", async () => {
    const data = new FormData();
    data.append("file", new File(["a\nb"], 'of "one".jsonl'));
    data.append("purpose", "batch");
    const request = new Request("http://localhost", { method: "POST", body: data });
    const boundary = boundaryOf(request.headers.get("content-type") ?? "") ?? "";
    const bytes = Buffer.from(await request.arrayBuffer());
    const names: string[] = [];
    for await (const part of readForm(inPieces(bytes, 10), boundary)) {
      names.push(`${part.name} ${part.filename ?? ""} ${await readField(part)}`);
    }
    expect(names).toEqual(['file of "one".jsonl a\nb', "purpose  batch"]);
  });

  it("whose parts nobody reads is passed over", async () => {
    const names: string[] = [];
    for await (const { name } of readForm(inPieces(formOf(PARTS), 5), BOUNDARY)) names.push(name);
    expect(names).toEqual(["purpose", "file", "empty"]);
  });

  it("that is cut short anywhere is refused, and never read to an end", async () => {
    const whole = formOf(PARTS);
    for (let bytes = 0; bytes < whole.length - 4; bytes += 1) {
      await expect(read(whole.subarray(0, bytes), 64)).rejects.toMatchObject({ status: 400 });
    }
  });

  it("with a head, a field or a number of parts without end is refused", async () => {
    const head = Buffer.from(`--${BOUNDARY}\r\n${"x".repeat(20_000)}`);
    await expect(read(head, 1_000)).rejects.toMatchObject({ status: 400 });
    const field = formOf([{ name: "a", text: "x".repeat(70_000) }]);
    await expect(read(field, 1_000)).rejects.toMatchObject({ status: 413 });
    const many = formOf(Array.from({ length: 65 }, () => ({ name: "a", text: "" })));
    await expect(read(many, 1_000)).rejects.toMatchObject({ status: 400 });
  });

  it.each([
    [TYPE, BOUNDARY],
    ['Multipart/Form-Data; charset=utf-8; boundary="a b"', "a b"],
    ["multipart/form-data", undefined],
    ["multipart/mixed; boundary=a", undefined],
    [`multipart/form-data; boundary=${"x".repeat(71)}`, undefined],
    [undefined, undefined],
  ])("is told by its type: %j", (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary);
  });
});

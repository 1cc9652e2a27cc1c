import { describe, expect, it } from "vitest";
import type { Line } from "../../../../src/inputs/read/lines.js";
import { countTextRecords, readTextRecords } from "../../../../src/inputs/read/text-layout.js";

const OPTIONS = { maxLineBytes: 200 };

/** A stream of the text, cut after every `size` bytes. */
async function* cut(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
  }
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

/** The records of a text; the same however it is cut. */
async function read(text: string): Promise<Line[]> {
  const whole = await all(readTextRecords(cut(text, 1e9), OPTIONS));
  for (const size of [1, 2, 7]) {
    const pieces = await all(readTextRecords(cut(text, size), OPTIONS));
    expect(pieces).toEqual(whole);
  }
  expect(await countTextRecords(cut(text, 3), OPTIONS)).toBe(whole.length);
  return whole;
}

async function objects(text: string): Promise<unknown[]> {
  return (await read(text)).map((line) =>
    line.status === "line" ? JSON.parse(line.text) : line.message,
  );
}

const A = { id: "a", query: 'q [1], "two"', documents: ["{x", "y\\"] };
const B = { id: "b", query: "ü\n", documents: [] };

describe("JSON in other layouts than lines", () => {
  it.each([
    ["an array on one line", JSON.stringify([A, B])],
    ["an array over several lines", JSON.stringify([A, B], null, 2)],
    ["an array with a byte order mark", `\uFEFF ${JSON.stringify([A, B])}\n`],
    [
      "objects over several lines",
      `${JSON.stringify(A, null, 2)}\n${JSON.stringify(B, null, 4)}\n`,
    ],
  ])("%s is read item by item", async (_, text) => {
    expect(await objects(text)).toEqual([A, B]);
  });

  it("a broken item costs itself alone", async () => {
    const lines = await read(`[${JSON.stringify(A)}, {"id" "x"}, 7, ${JSON.stringify(B)}]`);
    expect(lines.map((line) => [line.lineNumber, line.status === "line" && line.text])).toEqual([
      [1, JSON.stringify(A)],
      [2, '{"id" "x"}'],
      [3, "7"],
      [4, JSON.stringify(B)],
    ]);
  });

  it("an item over the limit is said in its place, and the next one follows", async () => {
    const long = { id: "long", query: "x".repeat(300) };
    const found = await objects(JSON.stringify([A, long, B]));
    expect(found).toEqual([
      A,
      expect.stringMatching(/^item 2 has 3\d\d bytes, over the limit of 200/),
      B,
    ]);
  });

  it("an array that is cut short leaves its last item to be refused", async () => {
    const lines = await read(`[${JSON.stringify(A)},{"id":"b","que`);
    expect(lines.at(-1)).toMatchObject({ lineNumber: 2, text: '{"id":"b","que' });
  });

  it("an array that is cut short between two items says so in the place of the next", async () => {
    for (const text of [`[${JSON.stringify(A)}`, `[${JSON.stringify(A)},\n`]) {
      expect(await objects(text)).toEqual([
        A,
        "the array has no end after item 1: the file is cut short",
      ]);
    }
  });

  it("a line that ends within a string costs its item alone, and is not mended", async () => {
    expect(await objects(`[{"id":"a","query":"one\ntwo"},${JSON.stringify(B)}]`)).toEqual([
      "item 1 is not JSON: a line ends within a string",
      B,
    ]);
  });

  it("arrays one after another are read as one", async () => {
    expect(await objects(`[${JSON.stringify(A)}]\n[${JSON.stringify(B)}]`)).toEqual([A, B]);
  });

  it("JSON lines stay lines, whatever the first one holds", async () => {
    for (const text of [
      `${JSON.stringify(A)}\n${JSON.stringify(B)}\n`,
      `{"id":\n${JSON.stringify(B)}\n`,
    ]) {
      expect((await read(text)).map(({ lineNumber }) => lineNumber)).toEqual([1, 2]);
    }
  });
});

describe("a table with a header", () => {
  it.each([",", ";", "\t", "|"])(
    "gives a row's cells by the names of the header, separated by %j",
    async (separator) => {
      const text = [
        ["ID", "Query", " document "],
        ["1", "capital", "Paris"],
        ["", "c", ""],
      ]
        .map((cells) => cells.join(separator))
        .join("\r\n");
      expect(await objects(text)).toEqual([
        { id: "1", query: "capital", document: "Paris" },
        { query: "c", document: "" },
      ]);
    },
  );

  it("reads cells in quotes, over several lines and blank ones too", async () => {
    const text =
      'query,document\n"a, ""b""","one\n\ntwo"\n5" disk,plain\n"so" they say,"a \\"b\\" c"\n';
    expect(await objects(text)).toEqual([
      { query: 'a, "b"', document: "one\n\ntwo" },
      { query: '5" disk', document: "plain" },
      { query: '"so" they say', document: '"a \\"b\\" c"' },
    ]);
  });

  it("reads a list of documents, numbers and metadata as JSON", async () => {
    const text = 'query\tdocuments\ttop_n\tmetadata\nq\t["a","b"]\t1\t{"k":1}\nq\t[a\t\t\n';
    expect(await objects(text)).toEqual([
      { query: "q", documents: ["a", "b"], top_n: 1, metadata: { k: 1 } },
      { query: "q", documents: "[a" },
    ]);
  });

  it("reads a list of documents as Python prints it, and refuses one that is neither", async () => {
    const text = [
      "query;contexts",
      `q;"['a', ""it's, [b]"", 'c\\n\\'']"`,
      "q;\"['a' 'b'\n 'c']\"",
      "q;[]",
      "q;['a', 5]",
      "q;[1] a footnote",
    ].join("\n");
    expect(await objects(text)).toEqual([
      { query: "q", contexts: ["a", "it's, [b]", "c\n'"] },
      { query: "q", contexts: ["a", "b", "c"] },
      { query: "q", contexts: [] },
      expect.stringMatching(/^contexts: stands in brackets/),
      { query: "q", contexts: "[1] a footnote" },
    ]);
  });

  it("is refused if two columns that are read have one name", async () => {
    await expect(read("query,document,Document\nq,a,b\n")).rejects.toThrow(
      "two columns are called document: if each holds a document, call them document1, document2",
    );
    expect(await objects("query,document,,\nq,a,,\n")).toEqual([{ query: "q", document: "a" }]);
  });

  it("a quote that nobody ends takes no other row with it", async () => {
    const text = 'query\tdocument\nq\t"open\nr\tsays "so"\ns\td\n';
    expect(await objects(text)).toEqual([
      "line 2 has a quote that does not end",
      { query: "r", document: 'says "so"' },
      { query: "s", document: "d" },
    ]);
    const odd = 'query\tdocument\nq\t"open\nr\tfive " inches\n';
    expect(await objects(odd)).toEqual([
      "line 2 has a quote that does not end",
      { query: "r", document: 'five " inches' },
    ]);
  });

  it("reads a byte order mark, a quoted header and names in capitals", async () => {
    const text = '\uFEFF"Search Query","TEXT"\n"q","d"\n';
    expect(await objects(text)).toEqual([{ search_query: "q", text: "d" }]);
  });

  it("reads numbered columns as documents, each with its column as its id", async () => {
    const text = "query,Doc1,doc_2,doc 10,page2\nq,a,,c,7\nr,,,,8\n";
    expect(await objects(text)).toEqual([
      {
        query: "q",
        page2: "7",
        documents: [
          { id: "doc1", text: "a" },
          { id: "doc_10", text: "c" },
        ],
      },
      { query: "r", page2: "8", documents: [] },
    ]);
    expect(await objects("query,document,doc1\nq,d,e\n")).toEqual([
      { query: "q", document: "d", doc1: "e" },
    ]);
  });

  it("a row with other columns, or a quote that does not end, costs itself alone", async () => {
    const text = 'query,document\na,b,c\n"open,x\nq,d\n';
    expect(await objects(text)).toEqual([
      "line 2 has 3 columns, and the header 2",
      "line 3 has a quote that does not end",
      { query: "q", document: "d" },
    ]);
  });

  it("a quote that is open for longer than a record may be costs its own line alone", async () => {
    const rows = "q,d\n".repeat(100);
    const found = await objects(`query,document\n"open,x\n${rows}`);
    expect(found).toHaveLength(101);
    expect(found[0]).toBe("line 2 has a quote that does not end");
  });

  it("is none without the name of a query and of documents", async () => {
    expect(await read("a,b\n1,2\n")).toHaveLength(2);
  });
});

/** A stream that says something, and nothing more for as long as anybody listens. */
async function* paused(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
  await new Promise(() => {});
}

describe("a stream that pauses", () => {
  it.each([
    ["JSON lines", `${JSON.stringify(A)}\n${JSON.stringify(B)}\n`, 1],
    ["an array", `[${JSON.stringify(A)},`, 1],
    ["a table", "query,document\nq,d\n", 2],
  ])("of %s gives what has come", async (_, text, lineNumber) => {
    const records = readTextRecords(paused(text), OPTIONS);
    const { value } = await records.next();
    expect(value).toMatchObject({ status: "line", lineNumber });
  });
});

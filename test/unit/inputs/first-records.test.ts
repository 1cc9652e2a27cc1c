import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/core/contract.js";
import type { RankmillError } from "../../../src/core/errors.js";
import { openSource } from "../../../src/inputs/open-source.js";
import { collect, inChunks, temporaryFolder } from "./support.js";

const GOOD = '{"id":"a","query":"q","documents":["d"]}';
const OPTIONS = {
  limits: DEFAULT_LIMITS,
  topN: undefined,
  stdin: inChunks(""),
  onNote: () => {},
  modelNames: () => [],
};

async function openText(content: string | Uint8Array, name = "in.jsonl") {
  const input = join(await temporaryFolder(), name);
  await writeFile(input, content);
  const choice = {
    input,
    format: "auto",
    firstStage: undefined,
    depth: undefined,
    split: undefined,
    docFields: [],
    indexDir: "",
  };
  return await openSource(choice, OPTIONS);
}

async function refusal(content: string | Uint8Array): Promise<string> {
  return await openText(content).then(
    () => "",
    (error: RankmillError) => `${error.code}: ${error.message}`,
  );
}

describe("a file of another shape is refused whole, with the shape and what to type", () => {
  it.each([
    [
      "CSV without a header",
      "1,capital,Paris\n2,capital,Berlin\n",
      /looks like CSV.*sed '1i id,query,document'/,
    ],
    ["CSV with semicolons", "1;c;P\n2;c;Q\n", /looks like CSV.*'1i id;query;document'/],
    [
      "a header without a name for the documents",
      "query;answer\ncapital;Paris\n",
      /has the columns query, answer, and none is called document\. Rename them: sed '1s\/\.\*\/query;document\/' /,
    ],
    [
      "a header with other names",
      '"Search","Content","Score"\ncapital,Paris,1\n',
      /has the columns Search, Content, Score, and none is called query or document\. Rename them: sed '1s\/\.\*\/query,document,Score\//,
    ],
    [
      "a header of nobody's names",
      "left|right|both\na|b|c\n",
      /columns left, right, both.*Name one column query, and one document.*if its first line is no header.*'1i id\|query\|document'/,
    ],
    [
      "an object keyed by query",
      JSON.stringify({ "capital of France": ["Paris"], river: ["Rhine"] }, null, 2),
      /keys such as "capital of France".*jq -c 'to_entries\[\] \| \{query: \.key, documents: \.value\}'/,
    ],
    [
      "an object of documents by id, keyed by query",
      '{"capital": {"d1": "Paris"}}\n',
      /jq -c .*\[\.value \| to_entries\[\] \| \{id: \.key, text: \.value\}\]/,
    ],
    [
      "a table in columns of lists",
      '{"query": ["a", "b"], "documents": [["x"], ["y"]]}\n',
      /holds a table in columns.*jq -c '.*range\(0; .*\["documents"\]/,
    ],
    [
      "a table in columns of objects",
      '{"question": {"0": "a"}, "text": {"0": "x"}}\n',
      /holds a table in columns.*keys_unsorted\[\].*\["text"\]/,
    ],
    [
      "an object of records, keyed by id",
      '{"q1": {"query": "capital", "documents": []}}\n',
      /each a record: jq -c 'to_entries\[\] \| \{id: \.key\} \+ \.value'/,
    ],
    [
      "an object around the records",
      '{"version": 1, "data": [{"question": "q", "docs": []}]}\n',
      /holds its records in "data": jq -c '\.\["data"\]\[\]'/,
    ],
    [
      "an Excel workbook",
      Buffer.concat([
        Buffer.from("PK\u0003\u0004"),
        Buffer.alloc(26),
        Buffer.from("[Content_Types].xml"),
      ]),
      /is an Excel workbook: CSV with a header is read: save.*duckdb/,
    ],
    ["a workbook of an old Excel", Buffer.from("d0cf11e0a1b11ae1", "hex"), /old Excel.*CSV/],
    ["a zip archive", Buffer.from("PK\u0003\u0004 and more"), /is a zip archive.*unzip -p/],
    ["TSV", "188714\t1000052\tfoods\tPaprika\n188714\t1000084\tfoods\tRice\n", /looks like TSV/],
    ["lines that end with CR", `${GOOD}\r${GOOD}\r`, /CR alone.*tr /],
    ["UTF-16 with a mark", Buffer.from(`\ufeff${GOOD}\n`, "utf16le"), /is UTF-16 text.*iconv/],
    ["UTF-16 without a mark", Buffer.from(`${GOOD}\n`, "utf16le"), /is UTF-16LE text.*iconv/],
    ["Parquet", Buffer.from("PAR1\u0015\u0004\u0015 binary PAR1", "latin1"), /is Parquet.*duckdb/],
    ["lz4", Buffer.from([4, 0x22, 0x4d, 0x18, 0, 0, 0, 0]), /compressed with lz4/],
  ])("%s", async (_, content, message) => {
    const said = await refusal(content);
    expect(said).toMatch(message);
    expect(said).toMatch(/^input_unusable: /);
    expect(said).not.toContain("\n");
  });
});

function lines(count: number): string {
  return '{"query":"q","relevant_passages":["d"]}\n'.repeat(count);
}

describe("a file whose first 100 lines hold no record", () => {
  it("is refused with the first reason and the shapes that are read", async () => {
    const said = await refusal(lines(100));
    expect(said).toMatch(/first 100 lines hold no record; line 1: documents: is missing/);
    expect(said).toMatch(/the record has query, relevant_passages/);
    expect(said).toMatch(/"query", "pos", "neg"/);
  });

  it("is refused with up to three reasons that differ", async () => {
    const said = await refusal(`{"query":"q"}\n7\n7\n[]\n{}\n${lines(100)}`);
    expect(said.match(/line \d+: /g)).toEqual(["line 1: ", "line 2: ", "line 4: "]);
  });

  it("is read line by line if it ends before, or holds one good line among them", async () => {
    const short = await collect((await openText(lines(99))).read(new Set()));
    expect(short.map(({ status }) => status)).toEqual(Array.from({ length: 99 }, () => "invalid"));
    const mixed = await collect(
      (await openText(`${lines(99)}${GOOD}\n${lines(300)}`)).read(new Set()),
    );
    expect(mixed.filter(({ status }) => status === "valid")).toHaveLength(1);
    expect(mixed.length).toBeGreaterThan(300);
  });
});

it("records that are done are left out of what was read ahead, and of the rest", async () => {
  const source = await openText(`${GOOD}\n${GOOD.replace('"a"', '"b"')}\n`);
  const records = await collect(source.read(new Set(["a", "b"])));
  expect(records).toEqual([]);
});

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { findCollection } from "../../../../src/inputs/collection/beir.js";
import { documentText } from "../../../../src/inputs/collection/corpus-document.js";
import { readQrels, readQueries } from "../../../../src/inputs/read/tsv.js";
import { inChunks, temporaryFolder } from "../support.js";

const LINES = { maxLineBytes: 1000 };

async function folderOf(...names: string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), "");
  }
  return folder;
}

function readAs(text: string, format: "jsonl" | "tsv") {
  return readQueries(inChunks(text), { ...LINES, format });
}

function read(text: string) {
  return readQrels(inChunks(text), LINES);
}

function document(fields: Record<string, unknown>) {
  return { id: "d", fields };
}

describe("findCollection", () => {
  it("finds a BEIR folder, its qrels by split", async () => {
    const folder = await folderOf(
      "corpus.jsonl.gz",
      "queries.jsonl",
      "qrels/test.tsv",
      "qrels/dev.tsv",
    );
    expect(await findCollection(folder, { split: "dev" })).toEqual({
      corpus: { path: join(folder, "corpus.jsonl.gz"), format: "jsonl" },
      queries: { path: join(folder, "queries.jsonl"), format: "jsonl" },
      qrelsPath: join(folder, "qrels/dev.tsv"),
    });
    const { qrelsPath } = await findCollection(folder);
    expect(qrelsPath).toBe(join(folder, "qrels/test.tsv"));
    await expect(findCollection(folder, { split: "train" })).rejects.toThrow(
      /has no qrels\/train\.tsv and no qrels\.train\.tsv for split "train"/,
    );
  });

  it("finds qrels that lie beside the queries, and works without any", async () => {
    const folder = await folderOf("corpus.jsonl", "queries.jsonl", "qrels.tsv");
    expect((await findCollection(folder)).qrelsPath).toBe(join(folder, "qrels.tsv"));
    expect((await findCollection(folder, { split: "test" })).qrelsPath).toBe(
      join(folder, "qrels.tsv"),
    );
    await expect(findCollection(folder, { split: "dev" })).rejects.toThrow("dev");
    const without = await folderOf("corpus.jsonl", "queries.jsonl");
    expect((await findCollection(without)).qrelsPath).toBeUndefined();
  });

  it("finds collection.tsv with queries.tsv", async () => {
    const folder = await folderOf("collection.tsv.zst", "queries.tsv");
    expect(await findCollection(folder)).toMatchObject({
      corpus: { path: join(folder, "collection.tsv.zst"), format: "tsv" },
      queries: { format: "tsv" },
    });
  });

  it("says what a folder lacks", async () => {
    await expect(findCollection(await folderOf("queries.jsonl"))).rejects.toThrow(
      /has no corpus\.jsonl and no collection\.tsv/,
    );
    await expect(findCollection(await folderOf("corpus.jsonl"))).rejects.toThrow(
      /has no queries\.jsonl and no queries\.tsv/,
    );
  });
});

describe("readQueries", () => {
  const JSONL = '{"_id":"q1","text":"one"}\n{"_id":2,"text":"two","metadata":{}}\n';

  it("reads both forms, in the order of the file", async () => {
    const jsonl = await readQueries(inChunks(JSONL), { ...LINES, format: "jsonl" });
    expect([...jsonl]).toEqual([
      ["q1", "one"],
      ["2", "two"],
    ]);
    const tsv = await readQueries(inChunks("q1\tone\tand more\nq2\t\n"), {
      ...LINES,
      format: "tsv",
    });
    expect([...tsv]).toEqual([
      ["q1", "one\tand more"],
      ["q2", ""],
    ]);
  });

  it("keeps only those that are asked for", async () => {
    const options = { ...LINES, format: "jsonl", only: new Set(["2"]) } as const;
    expect([...(await readQueries(inChunks(JSONL), options)).keys()]).toEqual(["2"]);
  });

  it("names the line that is no query, and the id that comes twice", async () => {
    await expect(readAs(`${JSONL}{"_id":"q3"}\n`, "jsonl")).rejects.toThrow(
      'line 3 of the queries has no "text"',
    );
    await expect(readAs(`${JSONL}nope\n`, "jsonl")).rejects.toThrow(/line 3 .* is not JSON/);
    await expect(readAs("no tab here\n", "tsv")).rejects.toThrow(
      "line 1 of the queries has no tab",
    );
    await expect(readAs(JSONL + JSONL, "jsonl")).rejects.toMatchObject({
      code: "duplicate_id",
      message: 'line 3: query "q1" is there twice',
    });
  });
});

describe("readQrels", () => {
  it.each([
    ["BEIR's, with a header", "query-id\tcorpus-id\tscore\nq1\td 1\t1\nq1\td2\t0\nq2\td1\t2\n"],
    ["BEIR's, without one", "q1\td 1\t1\nq1\td2\t0\nq2\td1\t2\n"],
    ["trec_eval's, with tabs", "q1\t0\td 1\t1\nq1\t0\td2\t0\nq2\t0\td1\t2\n"],
  ])("reads %s", async (_name, text) => {
    expect(await read(text)).toEqual(
      new Map([
        [
          "q1",
          new Map([
            ["d 1", 1],
            ["d2", 0],
          ]),
        ],
        ["q2", new Map([["d1", 2]])],
      ]),
    );
  });

  it("reads trec_eval's with blanks, negative grades and 1.0", async () => {
    expect(await read("q1 0 d1 -1\nq1  0  d2  1.0\n")).toEqual(
      new Map([
        [
          "q1",
          new Map([
            ["d1", -1],
            ["d2", 1],
          ]),
        ],
      ]),
    );
  });

  it("names the line that cannot be read, the first one too", async () => {
    await expect(read("q1\td1\tyes\n")).rejects.toThrow('line 1 of the qrels: grade "yes"');
    await expect(read("q1\td1\t1\nq1\td2\t\n")).rejects.toThrow(
      "line 2 of the qrels has 2 columns",
    );
    await expect(read("q1 0 d1 1\nq1 d1 1\n")).rejects.toThrow("line 2 of the qrels has 3 columns");
    await expect(read("just some text here now 1\n")).rejects.toThrow("line 1 of the qrels has 6");
    await expect(read("q1\td1\t0.5\n")).rejects.toThrow('grade "0.5"');
  });

  it("refuses a pair with two grades, and takes one that is judged twice alike", async () => {
    expect(await read("q1\td1\t1\nq1\td1\t1\n")).toEqual(new Map([["q1", new Map([["d1", 1]])]]));
    await expect(read("q1\td1\t1\nq1\td1\t2\n")).rejects.toMatchObject({ code: "duplicate_id" });
  });

  it("judges nothing in an empty file or a header alone", async () => {
    expect((await read("")).size).toBe(0);
    expect((await read("query-id\tcorpus-id\tscore\n")).size).toBe(0);
  });
});

describe("documentText", () => {
  it("joins title and text with a blank, leaving out what is empty or absent", () => {
    expect(documentText(document({ title: "A", text: "b" }))).toBe("A b");
    expect(documentText(document({ title: "", text: "b" }))).toBe("b");
    expect(documentText(document({ text: "b" }))).toBe("b");
    expect(documentText(document({ title: "", text: "" }))).toBe("");
  });

  it("takes the fields that are asked for, in their order", () => {
    expect(documentText(document({ title: "A", text: "b", year: 1999 }), ["text", "year"])).toBe(
      "b 1999",
    );
  });

  it("says which fields a document lacks, and which one is no text", () => {
    expect(() => documentText(document({ contents: "x" }))).toThrow(
      'document "d" has none of the fields title, text; it has contents',
    );
    expect(() => documentText(document({ text: ["x"] }))).toThrow('"text" of document "d"');
  });
});

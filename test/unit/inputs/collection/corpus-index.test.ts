import { appendFile, chmod, mkdir, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { documentText } from "../../../../src/inputs/collection/corpus-document.js";
import { hashId } from "../../../../src/inputs/collection/corpus-index-file.js";
import type { CorpusIndex } from "../../../../src/inputs/collection/corpus-index.js";
import {
  openCorpus,
  type OpenCorpusOptions,
} from "../../../../src/inputs/collection/open-corpus.js";
import { temporaryFolder } from "../support.js";

const SMALL = [
  '{"_id":"d1","title":"One","text":"first é"}',
  '{"_id":"d2","title":"","text":"second 中文 😀"}',
  '{"id":3,"text":"third"}',
].join("\n");

interface Built {
  readonly corpus: CorpusIndex;
  /** Times that progress was told: none if the index was there already. */
  readonly progressCalls: number;
}

async function openFile(options: Omit<OpenCorpusOptions, "maxLineBytes">): Promise<Built> {
  let progressCalls = 0;
  const corpus = await openCorpus({
    maxLineBytes: 10_000,
    onProgress: () => (progressCalls += 1),
    ...options,
  });
  onTestFinished(() => corpus.close());
  return { corpus, progressCalls };
}

async function corpusOf(name: string, bytes: string | Uint8Array) {
  const folder = await temporaryFolder();
  const path = join(folder, name);
  await writeFile(path, bytes);
  return { path, cacheDir: join(folder, "cache") };
}

async function textOf(corpus: CorpusIndex, id: string): Promise<string | undefined> {
  const document = await corpus.lookup(id);
  return document === undefined ? undefined : documentText(document);
}

describe("openCorpus", () => {
  it.each([
    ["plain", SMALL],
    ["with a mark, CRLF and blank lines", `\uFEFF${SMALL.replaceAll("\n", "\r\n\r\n")}\r\n`],
    ["gzip", gzipSync(SMALL)],
  ])("looks documents up by id: %s", async (_name, bytes) => {
    const { corpus } = await openFile(await corpusOf("corpus.jsonl", bytes));
    expect(corpus.documents).toBe(3);
    expect(corpus.problemCount).toBe(0);
    expect(await textOf(corpus, "d1")).toBe("One first é");
    expect(await textOf(corpus, "d2")).toBe("second 中文 😀");
    expect(await textOf(corpus, "3")).toBe("third");
    expect(await corpus.lookup("d4")).toBeUndefined();
    expect(await corpus.lookup("")).toBeUndefined();
  });

  it("looks up many at once, in the order asked, with a gap for each that is missing", async () => {
    const { corpus } = await openFile(await corpusOf("corpus.jsonl", SMALL));
    const ids = Array.from({ length: 100 }, (_, index) => ["d2", "none", "d1"][index % 3] ?? "");
    const documents = await corpus.lookupMany(ids);
    expect(documents.map((document) => document?.id ?? "none")).toEqual(ids);
  });

  it("reads id<TAB>text, compressed with zstd", async () => {
    const { corpus } = await openFile(await corpusOf("collection.tsv", "1\tone\ttab\n2\t\n"));
    expect(await textOf(corpus, "1")).toBe("one\ttab");
    expect(await textOf(corpus, "2")).toBe("");
    // The fixture has blanks and no tabs: a corpus that holds no document at all.
    const zstd = readFileSync("test/fixtures/formats/lines.txt.zst");
    const none = await openFile(await corpusOf("collection.tsv.zst", zstd));
    expect(none.corpus).toMatchObject({ documents: 0, problemCount: 12_000 });
    expect(none.corpus.problems).toHaveLength(100);
    expect(await none.corpus.lookup("line")).toBeUndefined();
  });

  it("sorts more documents than it holds at a time", async () => {
    const count = 150_000;
    const lines = Array.from({ length: count }, (_, i) => `doc-${i}\ttext of ${i * 7}`);
    const { corpus } = await openFile(await corpusOf("collection.tsv", lines.join("\n")));
    expect(corpus.documents).toBe(count);
    for (let index = 0; index < count; index += 1499) {
      expect(await textOf(corpus, `doc-${index}`)).toBe(`text of ${index * 7}`);
    }
    expect(await textOf(corpus, `doc-${count - 1}`)).toBe(`text of ${(count - 1) * 7}`);
    expect(await corpus.lookup(`doc-${count}`)).toBeUndefined();
  });

  it("tells two ids of one hash apart", async () => {
    // Found by trying: one of two pairs among the first 36 million such ids.
    const [one, other] = ["d12347566", "d14650545"] as const;
    expect(hashId(one)).toBe(hashId(other));
    const { corpus } = await openFile(await corpusOf("c.tsv", `${one}\tfirst\n${other}\tsecond\n`));
    expect(await textOf(corpus, one)).toBe("first");
    expect(await textOf(corpus, other)).toBe("second");
    const { corpus: half } = await openFile(await corpusOf("c.tsv", `${one}\tfirst\n`));
    expect(await half.lookup(other)).toBeUndefined();
  });

  it("notes the lines that hold no document, by number, also when opened again", async () => {
    const bad = ["[1]", "{", '{"text":"no id"}', `{"_id":"long","text":"${"x".repeat(10_000)}"}`];
    const options = await corpusOf("corpus.jsonl", `${bad.join("\n")}\n${SMALL}\n`);
    for (let time = 0; time < 2; time += 1) {
      const { corpus } = await openFile(options);
      expect(corpus.documents).toBe(3);
      expect(corpus.problemCount).toBe(4);
      expect(corpus.problems).toMatchObject([
        { lineNumber: 1, message: "line 1 is not a JSON object" },
        { lineNumber: 2, code: "invalid_json" },
        { lineNumber: 3, message: expect.stringContaining("line 3 has no id") },
        { lineNumber: 4, code: "limit_exceeded" },
      ]);
      expect(await textOf(corpus, "d1")).toBe("One first é");
    }
  });

  it("names an id that is there twice, with both lines, and leaves no index behind", async () => {
    const again = `${SMALL}\n\n{"_id":"d2","text":"again"}\n`;
    for (const [name, bytes] of [
      ["corpus.jsonl", again],
      ["corpus.jsonl.gz", gzipSync(again)],
    ] as const) {
      const options = await corpusOf(name, bytes);
      await expect(openFile(options)).rejects.toMatchObject({
        code: "duplicate_id",
        message: expect.stringMatching(/document "d2" is there twice, on lines 2 and 5$/),
      });
      expect(await readdir(options.cacheDir)).toEqual([]);
    }
  });

  it("takes an empty corpus", async () => {
    const { corpus } = await openFile(await corpusOf("corpus.jsonl", ""));
    expect(corpus.documents).toBe(0);
    expect(await corpus.lookup("d1")).toBeUndefined();
  });
});

describe("the index that is kept", () => {
  it.each([
    ["plain", SMALL],
    ["compressed", gzipSync(SMALL)],
  ])("is used again, without another pass (%s)", async (_name, bytes) => {
    const options = await corpusOf("corpus.jsonl", bytes);
    expect((await openFile(options)).progressCalls).toBeGreaterThan(0);
    const again = await openFile(options);
    expect(again.progressCalls).toBe(0);
    expect(await textOf(again.corpus, "d1")).toBe("One first é");
  });

  it("is used until the corpus changes, in size or time", async () => {
    const options = await corpusOf("corpus.jsonl", SMALL);
    await openFile(options);
    await appendFile(options.path, '\n{"_id":"d4","text":"fourth"}');
    const grown = await openFile(options);
    expect(await textOf(grown.corpus, "d4")).toBe("fourth");

    await writeFile(options.path, (await readText(options.path)).replace("fourth", "FOURTH"));
    await utimes(options.path, 1, 1);
    const edited = await openFile(options);
    expect(edited.progressCalls).toBeGreaterThan(0);
    expect(await textOf(edited.corpus, "d4")).toBe("FOURTH");
  });

  it("is built again if it is damaged or its copy of the corpus is gone", async () => {
    const options = await corpusOf("corpus.jsonl.gz", gzipSync(SMALL));
    await openFile(options);
    for (const name of await readdir(options.cacheDir)) {
      await writeFile(join(options.cacheDir, name), "damaged");
      const { corpus, progressCalls } = await openFile(options);
      expect({ name, builtAgain: progressCalls > 0 }).toEqual({ name, builtAgain: true });
      expect(await textOf(corpus, "d1")).toBe("One first é");
    }
  });

  it("is another one for each way of reading the same file", async () => {
    const options = await corpusOf("corpus.txt", "a\t1\n");
    const asTsv = await openFile({ ...options, format: "tsv" });
    const asJson = await openFile({ ...options, format: "jsonl" });
    expect([asTsv.corpus.documents, asJson.corpus.documents]).toEqual([1, 0]);
    expect((await openFile({ ...options, format: "tsv" })).progressCalls).toBe(0);
  });

  it("is alone: no unfinished file stays, an abandoned one goes, a fresh one of another stays", async () => {
    const options = await corpusOf("corpus.jsonl.gz", gzipSync(SMALL));
    await openFile(options);
    const finished = (await readdir(options.cacheDir)).toSorted();
    expect(finished).toHaveLength(2);
    const stem = (finished[0] ?? "").replace(/\.data$/, "");
    const abandoned = join(options.cacheDir, `${stem}.data.tmp-dead`);
    const alive = join(options.cacheDir, `${stem}.data.tmp-alive`);
    await writeFile(abandoned, "x");
    await writeFile(alive, "x");
    await utimes(abandoned, 1, 1);
    await utimes(options.path, 2, 2);
    await openFile(options);
    expect((await readdir(options.cacheDir)).toSorted()).toEqual(
      [...finished, `${stem}.data.tmp-alive`].toSorted(),
    );
  });

  it("is whole if two build it at once", async () => {
    const lines = Array.from({ length: 5000 }, (_, index) => `d${index}\ttext ${index}`).join("\n");
    const options = await corpusOf("collection.tsv.gz", gzipSync(lines));
    const both = await Promise.all([openFile(options), openFile(options)]);
    for (const { corpus } of both) expect(await textOf(corpus, "d4999")).toBe("text 4999");
    expect(await readdir(options.cacheDir)).toHaveLength(2);
  });
});

describe("an index that cannot be used", () => {
  it("names a corpus that is missing, a folder, or cut short", async () => {
    const { path, cacheDir } = await corpusOf("corpus.jsonl.gz", gzipSync(SMALL).subarray(0, -9));
    await expect(openFile({ path, cacheDir })).rejects.toThrow(`${path} is cut short`);
    expect(await readdir(cacheDir)).toEqual([]);
    await expect(openFile({ path: `${path}x`, cacheDir })).rejects.toThrow("cannot be read");
    await mkdir(`${path}.d`);
    await expect(openFile({ path: `${path}.d`, cacheDir })).rejects.toThrow("is no regular file");
  });

  it("names a cache folder that is a file", async () => {
    const { path } = await corpusOf("corpus.jsonl", SMALL);
    await expect(openFile({ path, cacheDir: path })).rejects.toMatchObject({
      code: "place_unusable",
      message: expect.stringContaining(`cannot be written to ${path}`) as unknown,
    });
  });

  it("names a corpus that shrank while it was in use", async () => {
    const options = await corpusOf("corpus.jsonl", SMALL);
    const { corpus } = await openFile(options);
    await writeFile(options.path, "");
    await expect(corpus.lookup("d1")).rejects.toThrow("was changed while it was in use");
  });

  it("leaves nothing if its build is told to stop", async () => {
    const options = await corpusOf("corpus.jsonl", SMALL);
    const signal = AbortSignal.abort();
    await expect(openFile({ ...options, signal })).rejects.toMatchObject({ code: "cancelled" });
    expect(await readdir(options.cacheDir)).toEqual([]);
  });

  it("stays out of the way of a corpus that may not be written, which has a usable one", async () => {
    const { path, cacheDir } = await corpusOf("corpus.jsonl", SMALL);
    await chmod(path, 0o444);
    const { corpus } = await openFile({ path, cacheDir });
    expect(await textOf(corpus, "3")).toBe("third");
    expect((await stat(path)).mode & 0o777).toBe(0o444);
  });
});

async function readText(path: string): Promise<string> {
  return readFileSync(path, "utf8");
}

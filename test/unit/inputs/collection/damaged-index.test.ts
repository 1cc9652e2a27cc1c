import { readFile, readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { DEFAULT_LIMITS } from "../../../../src/core/contract.js";
import type { InputRecord } from "../../../../src/core/record.js";
import { RECORD_BYTES } from "../../../../src/inputs/collection/corpus-index-file.js";
import type { CorpusIndex } from "../../../../src/inputs/collection/corpus-index.js";
import { openCorpus } from "../../../../src/inputs/collection/open-corpus.js";
import { CollectionSource } from "../../../../src/inputs/containers/collection.js";
import { temporaryFolder } from "../support.js";

const DOCUMENTS = 100;
const TRAILER_BYTES = 20;
const TEXT = Array.from({ length: DOCUMENTS }, (_, i) => `d${i}\ttext of ${i}\n`).join("");

interface Place {
  readonly path: string;
  readonly cacheDir: string;
}

async function placeOf(name = "collection.tsv", bytes: string | Uint8Array = TEXT): Promise<Place> {
  const folder = await temporaryFolder();
  const path = join(folder, name);
  await writeFile(path, bytes);
  return { path, cacheDir: join(folder, "cache") };
}

async function openTold(place: Place): Promise<{ corpus: CorpusIndex; told: string[] }> {
  const told: string[] = [];
  const corpus = await openCorpus({
    ...place,
    maxLineBytes: 10_000,
    onDamaged: (problem) => told.push(problem),
  });
  onTestFinished(() => corpus.close());
  return { corpus, told };
}

async function keptFile({ cacheDir }: Place, ending: ".index" | ".data"): Promise<string> {
  const name = (await readdir(cacheDir)).find((one) => one.endsWith(ending));
  return join(cacheDir, name ?? "");
}

async function expectAll(corpus: CorpusIndex): Promise<void> {
  const ids = Array.from({ length: DOCUMENTS }, (_, i) => `d${i}`);
  const found = await corpus.lookupMany(ids);
  expect(found.map((one) => one?.fields["text"])).toEqual(
    ids.map((id) => `text of ${id.slice(1)}`),
  );
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

describe("a kept index that is damaged", () => {
  it("is said in one line and built again, whichever byte of it was flipped, cut or repeated", async () => {
    const place = await placeOf();
    await openTold(place);
    const path = await keptFile(place, ".index");
    const whole = await readFile(path);
    const metadata = DOCUMENTS * RECORD_BYTES;
    const bodyBytes = whole.readUInt32BE(whole.length - TRAILER_BYTES + 8);
    const jsonBytes = whole.readUInt32BE(whole.length - TRAILER_BYTES + 4);
    expect(metadata + bodyBytes + TRAILER_BYTES).toBe(whole.length);
    const directory = metadata + jsonBytes;
    const trailer = whole.length - TRAILER_BYTES;
    // Places in each region, its first and last bytes among them; the file has some 2.5 kB.
    const places = [
      0,
      5,
      6,
      11,
      12,
      15,
      16,
      777,
      metadata - 1,
      metadata,
      metadata + 99,
      directory - 1,
    ];
    places.push(directory, directory + 3, directory + 4, directory + 9, trailer - 1, trailer);
    for (let at = trailer + 1; at < whole.length; at += 5) places.push(at);
    for (const [turn, at] of places.entries()) {
      const cases = [
        flipped(whole, at),
        whole.subarray(0, at),
        Buffer.concat([whole.subarray(0, at), whole.subarray(at, at + 1), whole.subarray(at)]),
      ];
      for (const damaged of turn % 3 === 0 ? cases : cases.slice(0, 1)) {
        await writeFile(path, damaged);
        const { corpus, told } = await openTold(place);
        expect({ at, told }).toEqual({
          at,
          told: [
            expect.stringMatching(/^the index of \S+ is damaged \([^\n]+\): it is built again$/),
          ],
        });
        expect(corpus.documents).toBe(DOCUMENTS);
        expect(await readFile(path)).toEqual(whole);
      }
    }
    await expectAll((await openTold(place)).corpus);
  });

  it("ends no process by a length that no read can have", async () => {
    const place = await placeOf("corpus.jsonl", '{"_id":"d1","text":"hello"}\n');
    await openTold(place);
    const path = await keptFile(place, ".index");
    const bytes = await readFile(path);
    bytes.writeUInt32BE(0xfffffff0, 12);
    await writeFile(path, bytes);
    const { corpus, told } = await openTold(place);
    expect(told).toHaveLength(1);
    expect((await corpus.lookup("d1"))?.fields).toEqual({ text: "hello" });
  });

  it.each([
    ["offset", 6, 0xffff],
    ["length", 12, 0xfffffff0],
  ])(
    "reads nothing at an %s outside the corpus, though every sum is right",
    async (_name, at, value) => {
      const place = await placeOf("corpus.jsonl", '{"_id":"d1","text":"hello"}\n');
      await openTold(place);
      const path = await keptFile(place, ".index");
      const bytes = await readFile(path);
      bytes.writeUInt32BE(value, at);
      const trailer = bytes.length - TRAILER_BYTES;
      const body = bytes.subarray(RECORD_BYTES, trailer);
      body.writeUInt32BE(crc32(bytes.subarray(0, RECORD_BYTES)), body.length - 8);
      bytes.writeUInt32BE(crc32(body), trailer);
      await writeFile(path, bytes);
      const { corpus, told } = await openTold(place);
      expect(told).toEqual([]);
      await expect(corpus.lookup("d1")).rejects.toMatchObject({ code: "damaged" });
      expect((await (await openTold(place)).corpus.lookup("d1"))?.id).toBe("d1");
    },
  );

  it("is an error of the lookup if it is damaged while in use, and built again by the next start", async () => {
    const place = await placeOf();
    const { corpus } = await openTold(place);
    const path = await keptFile(place, ".index");
    await writeFile(path, flipped(await readFile(path), 3));
    await expect(expectAll(corpus)).rejects.toMatchObject({
      code: "damaged",
      message: expect.stringContaining("the next start builds it again") as unknown,
    });
    await expectAll((await openTold(place)).corpus);
  });

  it("tells a flipped byte in its copy of a compressed corpus, and builds both again", async () => {
    const place = await placeOf("collection.tsv.gz", gzipSync(TEXT));
    await openTold(place);
    const path = await keptFile(place, ".data");
    const whole = await readFile(path);
    await writeFile(path, flipped(whole, whole.indexOf("text of 7\n")));
    const { corpus } = await openTold(place);
    await expect(corpus.lookup("d7")).rejects.toMatchObject({ code: "damaged" });
    expect((await corpus.lookup("d8"))?.fields["text"]).toBe("text of 8");
    await expectAll((await openTold(place)).corpus);
    await truncate(path, whole.length - 1);
    const cut = await openTold(place);
    expect(cut.told).toEqual([expect.stringContaining("its copy of the corpus")]);
    await expectAll(cut.corpus);
  });
});

describe("a collection whose index is damaged while it is read", () => {
  it("fails the queries that the index cannot serve, each alone, and leaves out no candidate", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "collection.tsv"), TEXT);
    await writeFile(join(folder, "queries.tsv"), "q1\tone\nq2\ttwo\n");
    const firstStage = join(folder, "first.trec");
    await writeFile(firstStage, "q1 Q0 d1 1 2.0 t\nq1 Q0 d2 2 1.0 t\nq2 Q0 d3 1 1.0 t\n");
    const source = await CollectionSource.open({
      folder,
      firstStage,
      depth: undefined,
      split: undefined,
      docFields: ["text"],
      indexDir: join(folder, "cache"),
      limits: DEFAULT_LIMITS,
      topN: undefined,
      onNote: () => {},
    });
    onTestFinished(() => source.close());
    // The corpus itself, changed in place: same size, and the index cannot tell by its time.
    const path = join(folder, "collection.tsv");
    await writeFile(path, TEXT.replace("text of 2\n", "text 0f 2\n"));
    const records: InputRecord[] = [];
    for await (const record of source.read(new Set())) records.push(record);
    expect(records).toMatchObject([
      {
        status: "invalid",
        failure: { id: "q1", code: "damaged", input: { candidates: ["d1", "d2"] } },
      },
      { status: "valid", request: { id: "q2" } },
    ]);
  });
});

/** Corpora, their indexes, and files that are compressed. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { RankmillError } from "../../../src/core/errors.js";
import { documentText } from "../../../src/inputs/collection/corpus-document.js";
import { openCorpus, type OpenCorpusOptions } from "../../../src/inputs/collection/open-corpus.js";
import { openInput } from "../../../src/inputs/read/open-input.js";
import { zstdStored } from "../../support/compress.js";
import type { SeededRandom } from "../../support/random.js";
import { mutated } from "../support/mutate.js";
import { inPieces, must, type FuzzTarget } from "../support/target.js";

const CORPORA = [
  '{"_id":"d1","title":"T","text":"one"}\n{"_id":2,"text":"two"}\n{"_id":"d3","title":null,"text":""}\n',
  `${Array.from({ length: 60 }, (_, id) => `{"_id":"d${id}","text":"text ${id}"}`).join("\n")}\n`,
];
const MAX_LINE_BYTES = 2_000;

export const corpora: FuzzTarget = {
  name: "corpora",
  files: true,
  weight: 1,
  run: async ({ random, folder }) => {
    const path = join(folder, "corpus.jsonl");
    writeFileSync(path, packed(random, mutated(random, CORPORA)));
    const index = await openCorpus({ path, cacheDir: folder, maxLineBytes: MAX_LINE_BYTES });
    try {
      for (const id of ["d1", "2", "d3", "d59", "__proto__", ""]) {
        const found = await index.lookup(id);
        must(found === undefined || found.id === id, "another document is found", id, found);
        if (found !== undefined) refusing(() => documentText(found));
      }
    } finally {
      await index.close();
    }
  },
};

/** An index is a function of its corpus, where that lies and its time: built once, it serves all cases in one folder. */
const builtIndexes = new Map<string, { readonly name: string; readonly bytes: Buffer }>();
const CORPUS_TIME = new Date("2026-01-01");

/** The index of a corpus of 60 documents, damaged: every document is found, or the damage is said. */
export const corpusIndexes: FuzzTarget = {
  name: "corpus-indexes",
  files: true,
  weight: 1,
  run: async ({ random, folder }) => {
    const path = join(folder, "corpus.jsonl");
    writeFileSync(path, CORPORA[1] ?? "");
    utimesSync(path, CORPUS_TIME, CORPUS_TIME);
    const options = { path, cacheDir: join(folder, "index"), maxLineBytes: MAX_LINE_BYTES };
    const { name, bytes } = builtIndexes.get(folder) ?? (await buildIndex(options));
    builtIndexes.set(folder, { name, bytes });
    makeEmpty(options.cacheDir);
    writeFileSync(join(options.cacheDir, name), mutated(random, [bytes]));
    const index = await openCorpus(options);
    try {
      for (const id of [0, 7, 59]) {
        const found = await index.lookup(`d${id}`);
        must(found?.fields["text"] === `text ${id}`, "a document is lost", id, found);
      }
    } finally {
      await index.close();
    }
  },
};

async function buildIndex(
  options: OpenCorpusOptions,
): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  await (await openCorpus(options)).close();
  const name = readdirSync(options.cacheDir).find((one) => one.endsWith(".index")) ?? "";
  return { name, bytes: readFileSync(join(options.cacheDir, name)) };
}

function makeEmpty(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
}

/** A compressed text of a megabyte at the most. */
export const containers: FuzzTarget = {
  name: "containers",
  files: false,
  weight: 5,
  run: async ({ random }) => {
    // The packer takes texts alone.
    const text = Buffer.from(mutated(random, CORPORA).toString());
    const bytes = packed(random, text);
    const isWhole = random.between(0, 2) === 0;
    const given = isWhole
      ? bytes
      : mutated(random, [bytes, gzipSync(bytes), zstdStored(bytes.toString("latin1"))]);
    const opened = await openInput("-", { stdin: inPieces(random, given) });
    const hash = createHash("sha1");
    let length = 0;
    for await (const chunk of opened.chunks) {
      hash.update(chunk);
      length += chunk.length;
    }
    await opened.close();
    if (!isWhole || opened.compression === "none") return;
    const same = hash.digest("hex") === createHash("sha1").update(text).digest("hex");
    must(same, "a compressed file is not what was packed", length, text.length);
  },
};

function packed(random: SeededRandom, bytes: Buffer): Buffer {
  const way = random.between(0, 3);
  if (way === 0) return gzipSync(bytes);
  if (way === 1)
    return Buffer.concat([gzipSync(bytes.subarray(0, 9)), gzipSync(bytes.subarray(9))]);
  return way === 2 ? zstdStored(bytes.toString()) : bytes;
}

function refusing(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof RankmillError)) throw error;
  }
}

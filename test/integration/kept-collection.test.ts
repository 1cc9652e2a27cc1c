/** The index that an earlier version built of a corpus, without checksums: this one builds it anew. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { Bench, rerank, type CliExit } from "../support/cli.js";
import { expectRankings, Kept, keptVersions } from "../support/kept.js";
import { readLines } from "../support/records.js";
import { hasRealRedis } from "../support/redis-server.js";

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.open(hasRealRedis ? {} : { PATH: "" });
});

afterEach(async () => {
  await bench.close();
});

async function rerankCollection(): Promise<CliExit> {
  return await bench.run(rerank("beir", "out.jsonl", "--first-stage first.trec --index-dir index"));
}

describe.each(keptVersions)("collections of version %s", (version) => {
  const kept = new Kept(version);
  const expected = readLines(kept.path("collection/expected.jsonl"));
  const TRAILER_BYTES = 12;
  const MTIME_SECONDS = 1_700_000_000;

  /** Puts another place and time of the corpus into an index, as if it had been made of that. */
  function moved(index: Buffer, path: string, mtimeSeconds: number): Buffer {
    const trailer = index.subarray(index.length - TRAILER_BYTES);
    const start = index.length - TRAILER_BYTES - trailer.readUInt32BE(0);
    const metadata = z
      .looseObject({ source: z.looseObject({}) })
      .parse(JSON.parse(index.toString("utf8", start, index.length - TRAILER_BYTES)));
    const source = { ...metadata.source, path, mtimeNs: `${mtimeSeconds}000000000` };
    const json = Buffer.from(JSON.stringify({ ...metadata, source }));
    const end = Buffer.from(trailer);
    end.writeUInt32BE(json.length, 0);
    return Buffer.concat([index.subarray(0, start), json, end]);
  }

  /** @returns the path of the index */
  function place(): string {
    kept.place(bench, "collection/beir", "beir");
    kept.place(bench, "collection/first.trec", "first.trec");
    const corpus = realpathSync(bench.path("beir/corpus.jsonl"));
    utimesSync(corpus, MTIME_SECONDS, MTIME_SECONDS);
    const key = createHash("sha256").update(`jsonl\n${corpus}`).digest("hex").slice(0, 16);
    const index = bench.path(`index/corpus.jsonl.${key}.index`);
    mkdirSync(dirname(index));
    const old = readFileSync(kept.path("collection/corpus.index"));
    writeFileSync(index, moved(old, corpus, MTIME_SECONDS));
    return index;
  }

  it.each([
    ["of another version", 0],
    ["of another version and of a corpus that has changed", 1],
  ])("an index %s is built anew, and the command says so", async (_name, seconds) => {
    const index = place();
    const before = readFileSync(index);
    const mtime = MTIME_SECONDS + seconds;
    utimesSync(bench.path("beir/corpus.jsonl"), mtime, mtime);
    const exit = await rerankCollection();
    expect(exit.code, exit.stderr).toBe(0);
    expect(exit.stderr).toContain("indexing beir/corpus.jsonl");
    expect(exit.stderr).not.toContain("damaged");
    expectRankings(readLines(bench.path("out.jsonl")), expected);
    expect(readFileSync(index)).not.toEqual(before);
  });
});

/**
 * Long documents on a real worker: a passage at the end of one is found in windows and lost by
 * truncation, and what the ranking says of its place is where it is.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createClient, type Client } from "../../src/app/client/client.js";
import type { RerankOptions } from "../../src/app/client/rerank-options.js";
import type { Ranking } from "../../src/app/client/ranking.js";
import { Bench, BUILTIN, rerank, words } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { readManifest, readRankings, writeRecords } from "../support/records.js";

const QUERY = "why does the mill wheel stand still";
const PASSAGE = "The mill wheel stands still because its axle froze to the bearing.";
const TIMEOUT = { timeoutMs: 600_000 };

/** Sentences that share no word with the query, about seven tokens each. */
function filler(sentences: number): string {
  return Array.from(
    { length: sentences },
    (_, i) => `Sheep number ${i} grazed on a green meadow, 羊 ${i}.`,
  ).join(" ");
}

const LONG = `${filler(400)} ${PASSAGE} Thus ended the report.`;
const SHORT = "A wheel is round, and a mill grinds corn.";
const DOCUMENTS = [SHORT, LONG, "Nothing of the kind."];

describe("long documents in the requests of a client", () => {
  const fleet = useFleet({ shared: "everything" });
  let client: Client;

  beforeAll(async () => {
    await fleet.worker("--lanes 1 --no-calibrate");
    client = await createClient({ redisUrl: fleet.server.url });
  });

  afterAll(async () => {
    await client.close();
  });

  async function ranked(more: Partial<RerankOptions>): Promise<Ranking> {
    const options = { model: BUILTIN, query: QUERY, documents: DOCUMENTS, maxLength: 128, ...more };
    return await (await client.enqueue(options)).result(TIMEOUT);
  }

  it("are ranked by their best passage if they are read in windows, and not if they are truncated", async () => {
    const cut = await ranked({});
    expect(cut.results[0]?.index).toBe(0);
    const ofLong = cut.results.find(({ index }) => index === 1);
    expect(ofLong).toMatchObject({ truncated: true });
    expect(ofLong).not.toHaveProperty("window");

    const { results, usage } = await ranked({ longDocuments: "windows", overlapTokens: 32 });
    const [first] = results;
    expect(first).toMatchObject({ index: 1, truncated: false });
    const { start = 0, end = 0, tokenStart = 0, tokenEnd = 0 } = first?.window ?? {};
    expect(LONG.slice(start, end)).toContain(PASSAGE);
    expect(end - start).toBeLessThan(LONG.length / 10);
    expect(tokenEnd - tokenStart).toBeLessThanOrEqual(128);
    expect(tokenStart).toBeGreaterThan(2_000);
    expect(first?.windows).toBeGreaterThan(20);
    expect(usage.pairs).toBe(2 + (first?.windows ?? 0));
    const others = results.slice(1).map(({ windows, window }) => [windows, window?.start]);
    expect(others).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  it("have the logit of their best window's text, to the bit", async () => {
    const { results } = await ranked({ longDocuments: "windows" });
    const { start, end } = results[0]?.window ?? {};
    const alone = await ranked({ documents: [LONG.slice(start, end)] });
    expect(alone.results[0]).toMatchObject({ logit: results[0]?.logit, truncated: false });
  });

  it("cost no more than their windows allow, even with megabytes, and no neighbour loses its score", async () => {
    const huge = `${filler(60_000)} ${PASSAGE}`;
    expect(huge.length).toBeGreaterThan(2_000_000);
    const { results, usage, errors } = await ranked({
      documents: [huge, PASSAGE],
      longDocuments: "windows",
      maxWindows: 5,
    });
    expect(errors).toEqual([]);
    expect(usage.pairs).toBe(6);
    expect(results[0]).toMatchObject({ index: 1, windows: 1, truncated: false });
    expect(results[1]).toMatchObject({ index: 0, windows: 5, truncated: true });
  });

  it("are read as far as the tokens per document go, without query and special tokens", async () => {
    const { results, usage } = await ranked({ documents: [LONG, "mill"], maxTokensPerDoc: 3 });
    expect(results.map(({ index, truncated }) => [index, truncated])).toEqual([
      [1, false],
      [0, true],
    ]);
    const [whole, cut] = [await ranked({ documents: ["mill"] }), await ranked({ documents: [""] })];
    const ofQuery = cut.usage.tokens;
    expect(usage.tokens).toBe(whole.usage.tokens + ofQuery + 3);
    const windows = await ranked({ longDocuments: "windows", maxTokensPerDoc: 300 });
    const ofLong = windows.results.find(({ index }) => index === 1);
    expect(ofLong).toMatchObject({ truncated: true });
    expect(ofLong?.window?.tokenEnd).toBeLessThanOrEqual(300);
  });

  it("have the logit as score if it is asked for, as short ones do, and the activated logit otherwise", async () => {
    const [plain, raw] = [await ranked({}), await ranked({ score: "logit" })];
    expect(raw.results.map(({ logit }) => logit)).toEqual(plain.results.map(({ logit }) => logit));
    for (const { relevanceScore, logit } of raw.results) expect(relevanceScore).toBe(logit);
    for (const { relevanceScore, logit } of plain.results) {
      expect(relevanceScore).toBe(1 / (1 + Math.exp(-logit)));
    }
  });

  it("are read in windows in a submitted run too, which is joined only under the same settings", async () => {
    writeRecords(fleet.bench.path("in.jsonl"), [{ id: "a", query: QUERY, documents: DOCUMENTS }]);
    const submit = ["submit", ...words(`--input in.jsonl --model ${BUILTIN} --run windows`)];
    const split = words("--max-length 128 --long-documents windows --overlap-tokens 16");
    const exit = await fleet.ask([...submit, ...split, "--output", "out.jsonl"]);
    expect(exit).toMatchObject({ code: 0 });
    const [first] = readRankings(fleet.bench.path("out.jsonl"))[0]?.results ?? [];
    expect(LONG.slice(first?.window?.start, first?.window?.end)).toContain(PASSAGE);
    const other = await fleet.ask([...submit, "--max-length", "128"]);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("longDocuments was windows, is truncate");
    expect(other.stderr).toContain("overlapTokens was 16, is 0");
  });

  it.each<[Partial<RerankOptions>, RegExp]>([
    [{ longDocuments: "windows", overlapTokens: 65 }, /^overlapTokens: is 65, over .* 64 tokens/],
    [{ maxWindows: 3 }, /^maxWindows: is 3, but long documents are truncated/],
    [{ maxTokensPerDoc: -1 }, /^maxTokensPerDoc: is -1/],
  ])("are refused before they are enqueued under %j", async (wrong, message) => {
    await expect(ranked(wrong)).rejects.toThrow(message);
  });
});

describe("long documents of a file", () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.open();
    writeRecords(bench.path("in.jsonl"), [{ id: "a", query: QUERY, documents: DOCUMENTS }]);
  });

  afterEach(async () => {
    await bench.close();
  });

  const WINDOWS = "--max-length 128 --long-documents windows --no-calibrate --lanes 1";

  it("are ranked in windows, and the run never goes on under other settings", async () => {
    const exit = await bench.ask(rerank("in.jsonl", "out.jsonl", WINDOWS));
    expect(exit).toMatchObject({ code: 0 });
    const [ranking] = readRankings(bench.path("out.jsonl"));
    const [first] = ranking?.results ?? [];
    expect(first?.index).toBe(1);
    expect(LONG.slice(first?.window?.start, first?.window?.end)).toContain(PASSAGE);
    expect(readManifest(bench.path("out.manifest.json"))).toMatchObject({
      settings: { longDocuments: "windows", overlapTokens: 32, maxWindows: 64, score: "activated" },
      counts: { pairs: ranking?.usage.pairs },
    });
    const other = await bench.ask(rerank("in.jsonl", "out.jsonl", "--max-length 128"));
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("longDocuments was windows, is truncate");
    const raw = await bench.ask(rerank("in.jsonl", "out.jsonl", `${WINDOWS} --score logit`));
    expect(raw.stderr).toContain("score was activated, is logit");
  });

  it("are counted in windows by a dry run, as a run then scores them", async () => {
    const args = ["run", "--input", "in.jsonl", "--model", BUILTIN, "--dry-run", ...words(WINDOWS)];
    const dry = await bench.ask([...args, "--json"]);
    const figures = JSON.parse(dry.stdout) as { pairs: number; windows: object };
    await bench.ask(rerank("in.jsonl", "out.jsonl", WINDOWS));
    const [ranking] = readRankings(bench.path("out.jsonl"));
    const windows = ranking?.results[0]?.windows ?? 0;
    expect(windows).toBeGreaterThan(20);
    expect(figures).toMatchObject({
      documents: 3,
      pairs: ranking?.usage.pairs,
      windows: { splitShare: 1 / 3, most: windows },
      tokens: { truncatedShare: 0 },
    });
    const shown = await bench.ask(args);
    expect(shown.stdout).toContain(`33.3 % would be split: about ${figures.pairs} windows in all`);
  });

  it.each([
    ["--overlap-tokens 300 --long-documents windows", "--overlap-tokens: is 300, over the limit"],
    [
      "--max-windows 2",
      "--max-windows: is 2, but long documents are truncated: ask for --long-documents windows",
    ],
  ])("are refused under %s, by the option's name", async (options, message) => {
    const exit = await bench.ask(rerank("in.jsonl", "out.jsonl", options));
    expect(exit.code).toBe(2);
    expect(exit.stderr).toContain(message);
  });
});

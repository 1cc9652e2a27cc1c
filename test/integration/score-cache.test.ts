/** Workers that keep scores in Redis for each other, on a real server with a real model. */
import type { ReuseCounts } from "../../src/telemetry/reuse-counts.js";
import { describe, expect, it } from "vitest";
import { BERT, SAMPLE, words, type RunningCli } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { readLines, readRankings, writeRecords } from "../support/records.js";
import { firstUnlessLong, given, longTests, realRedis } from "../support/needs.js";

interface SampleRecord {
  id: string;
  query: string;
  documents: { id: string; text: string }[];
}

const RECORDS = 12;
const WITH_CACHE = "--score-cache-bytes 4194304";

const fleet = useFleet();

function sample(): SampleRecord[] {
  const records = readLines(SAMPLE).map((line) => JSON.parse(line) as SampleRecord);
  return records.slice(0, RECORDS);
}

/** Scores `records` with a worker of their own; the jobs are new to Redis. */
async function score(
  name: string,
  records: readonly SampleRecord[],
  precision: string,
  more: string,
): Promise<{ scores: Map<string, string>; reuse: ReuseCounts }> {
  const input = fleet.bench.path(`${name}.jsonl`);
  writeRecords(
    input,
    records.map((record) => ({ ...record, id: `${name}/${record.id}` })),
  );
  const worker = await fleet.bench.worker([
    "--model",
    BERT,
    ...words(`--precision ${precision} ${more}`),
  ]);
  const output = fleet.bench.path(`${name}.out.jsonl`);
  const submit = words(`submit --precision ${precision} --max-length 128 --output ${output}`);
  const exit = await fleet.bench.run([...submit, "--model", BERT, "--input", input]);
  expect(exit).toMatchObject({ code: 0 });
  worker.signal("SIGTERM");
  await worker.exited;
  const scores = new Map<string, string>();
  for (const { id, results } of readRankings(output)) {
    for (const result of results) {
      const key = `${id.slice(name.length)} ${result.id ?? ""}`;
      scores.set(key, JSON.stringify([result.logit, result.relevance_score]));
    }
  }
  return { scores, reuse: reuseOf(worker) };
}

/** The report of the worker when it ends. */
function reuseOf(worker: RunningCli): ReuseCounts {
  const line = worker.stdout.split("\n").find((text) => text.includes(`"scoreHits":`));
  return JSON.parse(line ?? "{}") as ReuseCounts;
}

describe("a score cache", given(realRedis), () => {
  it.each(firstUnlessLong(["int8", "fp32"]))(
    "a score cache gives other jobs of other workers the same scores to the bit, in %s",
    async (precision) => {
      const records = sample();
      const pairs = records.reduce((sum, { documents }) => sum + documents.length, 0);
      const reversed = records.map((record) => ({
        ...record,
        documents: record.documents.toReversed(),
      }));
      const first = await score("first", records, precision, WITH_CACHE);
      expect(first.reuse).toMatchObject({ scoreHits: 0, scoreMisses: pairs });
      const second = await score("second", reversed, precision, WITH_CACHE);
      expect(second.reuse).toMatchObject({ scoreHits: pairs, scoreMisses: 0 });
      const without = await score("without", records, precision, "");
      expect(without.reuse).toMatchObject({ scoreHits: 0, scoreMisses: 0 });
      expect(first.scores.size).toBe(pairs);
      expect(new Set(first.scores.values()).size).toBeGreaterThan(pairs / 2);
      expect(second.scores).toEqual(first.scores);
      expect(without.scores).toEqual(first.scores);
    },
  );

  it("a score cache is for one precision", given(longTests), async () => {
    const records = sample().slice(0, 2);
    const first = await score("first", records, "fp32", WITH_CACHE);
    const int8 = await score("second", records, "int8", WITH_CACHE);
    expect(int8.reuse.scoreHits).toBe(0);
    expect(int8.scores).not.toEqual(first.scores);
  });

  it("a score cache is refused if scores may depend on their batch", async () => {
    const args = words("--precision fp32 --max-batch-size 4 --no-calibrate");
    const exit = await fleet.bench.run(["worker", "--model", BERT, ...args, ...words(WITH_CACHE)]);
    expect(exit.code).toBe(2);
    expect(exit.stderr).toContain("--score-cache-bytes: with 4 rows per batch, a score may depend");
  });
});

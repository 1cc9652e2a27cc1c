/** Jobs and scores that an earlier version left in Redis. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type * as Library from "../../src/index.js";
import { BUILTIN, rerank } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { dist } from "../support/dist.js";
import { attemptsBegun, expectRankings, Kept, keptVersions, nearly } from "../support/kept.js";
import { isLikeHost } from "../support/kept-host.js";
import { readLines } from "../support/records.js";

/** All records were ranked but the one that is none. */
const SOME_FAILED = 3;
const WORKER = ["--model", BUILTIN];

const fleet = useFleet({ shared: "nothing" });

describe.each(keptVersions)("jobs of version %s in Redis", (version) => {
  const kept = new Kept(version);
  const jobs = kept.read(
    "client.json",
    z.array(z.object({ jobId: z.string(), id: z.string(), ranking: z.unknown() })),
  );

  it("waiting jobs are done, and are the same jobs when they are enqueued again", async () => {
    await kept.load(fleet.redis, "client", fleet.bench);
    await fleet.bench.worker(WORKER);
    const entry = join(dist, "src/index.js");
    const { createClient } = (await import(entry)) as typeof Library;
    const client = await createClient({ redisUrl: fleet.server.url });
    for (const { jobId, id, ranking } of jobs) {
      const job = await client.job(jobId, BUILTIN);
      expect(await job.result({ timeoutMs: 60_000 })).toEqual(closeTo(ranking));
      const request = readLines(kept.path("in.jsonl")).find((line) => line.includes(`"${id}"`));
      const again = await client.enqueue({ model: BUILTIN, ...record.parse(parse(request)) });
      expect([again.id, again.outcome]).toEqual([jobId, "done"]);
    }
    await client.close();
    expect(await attemptsBegun(fleet.redis)).toBe(jobs.length);
  });
});

describe.each(keptVersions)("a score cache of version %s", (version) => {
  const kept = new Kept(version);
  const reuse = z.object({ scoreHits: z.int(), scoreMisses: z.int() });

  it("kept scores are found again on the same kind of host, and nowhere else", async () => {
    await kept.load(fleet.redis, "scores", fleet.bench);
    kept.place(fleet.bench, "in.jsonl");
    const more =
      "--score-cache-bytes 1000000 --max-batch-size 1 --no-calibrate --threads 1 --log-level info";
    const exit = await fleet.bench.run(rerank("in.jsonl", "out.jsonl", more));
    expect(exit.code, exit.stderr).toBe(SOME_FAILED);
    expectRankings(readLines(fleet.bench.path("out.jsonl")), kept.expected);
    const said = exit.stderr.split("\n").find((line) => line.includes(`"scoreHits":`));
    const { scoreHits, scoreMisses } = reuse.parse(parse(said));
    const found = await isLikeHost(fleet.bench, kept);
    expect([scoreHits > 0, scoreMisses > 0]).toEqual([found, !found]);
  });
});

const record = z.object({
  id: z.string(),
  query: z.string(),
  documents: z.array(z.union([z.string(), z.object({ id: z.string(), text: z.string() })])),
  metadata: z.record(z.string(), z.unknown()).exactOptional(),
});

function parse(line: string | undefined): unknown {
  return JSON.parse(line ?? "null");
}

/** The same with numbers that may differ in their last digits. */
function closeTo(value: unknown): unknown {
  if (typeof value === "number") return nearly(value);
  if (Array.isArray(value)) return value.map(closeTo);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closeTo(one)]));
}

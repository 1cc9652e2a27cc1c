/** Spooled runs that an earlier version left half done: runners of this one finish them, or it refuses. */
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { BUILTIN, words } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import {
  attemptsBegun,
  expectRankings,
  expectRefusal,
  Kept,
  keptVersions,
  rankingsInRedis,
} from "../support/kept.js";
import { readLines } from "../support/records.js";
import { TestS3 } from "../support/s3-server.js";
import { given, longTests } from "../support/needs.js";

/** All records were ranked but the one that is none. */
const SOME_FAILED = 3;
const USAGE = 2;
const named = z.object({ run: z.string() });

const fleet = useFleet({ shared: "nothing" });

function submission(more = ""): string[] {
  return ["submit", "--model", BUILTIN, "--input", "in.jsonl", ...words(more)];
}

describe.each(keptVersions)("spools of version %s", (version) => {
  const kept = new Kept(version);
  const { run } = kept.read("spool.json", named);

  beforeEach(async () => {
    kept.place(fleet.bench, "in.jsonl");
    kept.place(fleet.bench, "spool");
  });

  function rankingsInSpool(): string[] {
    const folder = fleet.bench.path(`spool/${run}/rankings`);
    const names = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
    return names.flatMap((name) => readLines(join(folder, name)));
  }

  async function finish(id = run, spool = "spool", env = {}): Promise<string[]> {
    const runner = fleet.bench.start(words(`runner --spool ${spool}`), { env });
    await fleet.worker();
    const results = await fleet.ask(
      words(`results ${id} --spool ${spool} --output out.jsonl --wait`),
      env,
    );
    expect(results.code, results.stderr + runner.said).toBe(SOME_FAILED);
    const lines = readLines(fleet.bench.path("out.jsonl"));
    expectRankings(lines, kept.expected);
    return lines;
  }

  it("a runner finishes a spooled run with the rankings in its folder and those in Redis", async () => {
    const begun = await kept.load(fleet.redis, "spool", fleet.bench);
    // A ranking may be in the folder and still in Redis.
    const done = [...new Set([...rankingsInSpool(), ...(await rankingsInRedis(fleet.redis))])];
    const lines = await finish();
    expect(lines).toEqual(expect.arrayContaining(done));
    expect(await attemptsBegun(fleet.redis)).toBe(begun + kept.expected.length - done.length);
  });

  it("a runner finishes a run whose spool is in a bucket", given(longTests), async () => {
    const s3 = await TestS3.start();
    try {
      cpSync(kept.path("bucket"), s3.filesOf("kept"), { recursive: true });
      await kept.load(fleet.redis, "bucket", fleet.bench);
      const done = await rankingsInRedis(fleet.redis);
      const bucket = kept.read("bucket.json", named);
      const lines = await finish(bucket.run, s3.place("kept"), s3.env);
      expect(lines).toEqual(expect.arrayContaining(done));
    } finally {
      await s3.close();
    }
  });

  it("a spooled run is finished from its folder after it is submitted again to an empty Redis", async () => {
    const done = rankingsInSpool();
    const again = await fleet.ask(submission("--spool spool"));
    expect(again).toMatchObject({ code: 0, stdout: `${run}\n` });
    const lines = await finish();
    expect(lines.slice(0, done.length)).toEqual(done);
    expect(await attemptsBegun(fleet.redis)).toBe(kept.expected.length - done.length);
  });

  it("a submission is refused if its name belongs to a spooled run that Redis has forgotten", async () => {
    cpSync(fleet.bench.path(`spool/${run}`), fleet.bench.path("spool/nightly"), {
      recursive: true,
    });
    const exit = await fleet.ask(submission("--spool spool --run nightly"));
    expectRefusal(exit, USAGE, "Redis has forgotten: purge it, or choose another name");
  });
});

/** Redis' clock has stepped back an hour: keys that should live for seconds do for an hour. Here they are given that by hand. */
import { beforeEach, describe, expect, it } from "vitest";
import { modelTag, queueName, runKeys } from "../../src/redis/keys.js";
import { Lease } from "../../src/redis/lease.js";
import { listServedModels } from "../../src/redis/model-registry.js";
import { countUnheld, UnheldJobs } from "../../src/redis/unheld-jobs.js";
import { SAMPLE, words } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { multiply, readLines, writeRecords } from "../support/records.js";
import { until } from "../support/until.js";
import { given, longTests } from "../support/needs.js";

const HOUR_MS = 3_600_000;
const RECORDS = 54;
const fleet = useFleet({ shared: "nothing" });

beforeEach(() => {
  writeRecords(fleet.bench.path("in.jsonl"), multiply(SAMPLE, 1));
});

async function queueKey(part: string): Promise<string> {
  const [model] = await listServedModels(fleet.redis);
  if (model === undefined) throw new Error("no model is served");
  return `rankmill:${queueName(modelTag(model), "bulk")}:${part}`;
}

async function activeJobs(): Promise<string[]> {
  return await fleet.redis.lrange(await queueKey("active"), 0, -1);
}

describe("after Redis' clock has stepped back", () => {
  it(
    "the jobs of a worker that dies are taken over by another, though their keys live for an hour",
    given(longTests),
    async () => {
      fleet.gate.hold();
      const first = await fleet.worker("--lanes 1 --no-calibrate --concurrency 4");
      const run = await fleet.submit("in.jsonl");
      await until("the worker holds jobs", async () => (await activeJobs()).length === 4);
      first.signal("SIGSTOP");
      const held = await activeJobs();
      for (const id of held) await fleet.redis.pexpire(await queueKey(`${id}:lock`), HOUR_MS);
      await fleet.redis.set(await queueKey("stalled-check"), "1", "PX", HOUR_MS);
      await fleet.redis.set(runKeys.lease(run), "another", "PX", HOUR_MS);
      first.signal("SIGKILL");
      await first.exited;
      fleet.gate.release();
      const second = await fleet.worker("--lanes 1 --no-calibrate");
      const results = await fleet.bench.run(words(`results ${run} --wait --output out.jsonl`));
      expect(results.code, results.stderr).toBe(0);
      expect(readLines(fleet.bench.path("out.jsonl"))).toHaveLength(RECORDS);
      expect(second.stdout).toContain("keys of the queue lived too long");
    },
  );

  it("a job in nobody's hands is counted, and given to the check that hands it out, after two lock times", async () => {
    const tag = "made-up.1.fp32.v1";
    const prefix = `rankmill:${queueName(tag, "bulk")}:`;
    await fleet.redis.lpush(`${prefix}active`, "unheld", "held");
    await fleet.redis.set(`${prefix}held:lock`, "token", "PX", 60_000);
    const jobs = new UnheldJobs({
      redis: fleet.redis,
      tag,
      lockDurationMs: 40_000,
      stalledIntervalMs: 5_000,
    });
    expect(await jobs.tend()).toEqual({ heldUp: [], locks: 0, handedBack: [] });
    expect(await countUnheld(fleet.redis, tag)).toBe(1);
    expect(jobs.overdue).toBe(0);
    expect(await fleet.redis.exists(`${prefix}stalled`)).toBe(0);
    await fleet.redis.lrem(`${prefix}active`, 0, "held");
    const hasty = new UnheldJobs({
      redis: fleet.redis,
      tag,
      lockDurationMs: 0,
      stalledIntervalMs: 5_000,
    });
    expect(await hasty.tend()).toMatchObject({ handedBack: ["unheld"] });
    expect(hasty.overdue).toBe(1);
    expect(await fleet.redis.smembers(`${prefix}stalled`)).toEqual(["unheld"]);
    await fleet.redis.lrem(`${prefix}active`, 0, "unheld");
    await hasty.tend();
    expect(hasty.overdue).toBe(0);
  });

  it("the run of a dead runner is taken over within the time of a lease", async () => {
    await fleet.redis.set(runKeys.owner("run-1"), "dead", "PX", HOUR_MS);
    expect(await Lease.take(fleet.redis, "run-1")).toBeUndefined();
    expect(await fleet.redis.pttl(runKeys.owner("run-1"))).toBeLessThanOrEqual(10_000);
    await fleet.redis.pexpire(runKeys.owner("run-1"), 1);
    const lease = await until("the lease is free", () => Lease.take(fleet.redis, "run-1"));
    await lease.giveBack();
  });
});

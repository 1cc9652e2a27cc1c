/** Workers and lanes killed, frozen and stopped in the middle of real work. */
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Bench, BUILTIN, rerank, type RunningCli, SAMPLE, words } from "../support/cli.js";
import { canSeeProcesses, lanesOf, look } from "../support/processes.js";
import { attemptsByJob, heldJobs, resultKeys } from "../support/queue-view.js";
import {
  countLines,
  multiply,
  readRankings,
  sortedLines,
  writeRecords,
} from "../support/records.js";
import { TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const COPIES = 3;
const RECORDS = 54 * COPIES;
const SLOW = words(`--model ${BUILTIN} --lanes 1 --concurrency 3 --max-batch-size 1`);
/** A dead worker's locks must expire before another may have its jobs. */
const TIMEOUT_MS = 180_000;

let server: TestRedis;
let redis: Redis;
let bench: Bench;

beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
});

afterAll(async () => {
  await server.close();
});

beforeEach(async () => {
  bench = await Bench.open({ REDIS_URL: server.url });
  writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
});

afterEach(async () => {
  await bench.close();
  await redis.flushall();
});

async function submit(): Promise<string> {
  const exit = await bench.run(["submit", "--model", BUILTIN, "--input", "in.jsonl"]);
  expect(exit.code).toBe(0);
  return exit.stdout.trim();
}

/** Freezes a worker at a moment when it has scored some and holds others. @returns what it holds */
async function freezeInTheMiddle(
  worker: RunningCli,
  others: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const doneBefore = (await resultKeys(redis)).size;
  return await until(
    "a worker is in the middle of its work",
    async () => {
      if ((await resultKeys(redis)).size < doneBefore + 3) return undefined;
      await worker.freeze();
      const held = (await heldJobs(redis)).filter((jobId) => !others.has(jobId));
      if (held.length > 0) return held;
      worker.signal("SIGCONT");
      return undefined;
    },
    () => worker.said,
  );
}

async function lanesDie(pids: readonly number[]): Promise<void> {
  await until("the lanes are gone", () => pids.every((pid) => look(pid) === undefined));
}

describe.skipIf(!canSeeProcesses)("workers that vanish with jobs in hand", () => {
  it(
    "lose nothing and do nothing twice, and one that comes back overwrites nothing",
    async () => {
      const run = await submit();
      const zombie = await bench.worker(SLOW);
      const frozenJobs = await freezeInTheMiddle(zombie);

      const victim = await bench.worker(SLOW);
      const lanes = lanesOf(victim.pid).map(({ pid }) => pid);
      expect(lanes).toHaveLength(1);
      const killedJobs = await freezeInTheMiddle(victim, new Set(frozenJobs));
      const doneBefore = [...(await resultKeys(redis)).keys()];
      expect(doneBefore.length).toBeGreaterThanOrEqual(6);
      expect(doneBefore.length).toBeLessThan(RECORDS);
      victim.signal("SIGKILL");
      await victim.exited;
      await lanesDie(lanes);

      const rescuer = await bench.worker(["--model", BUILTIN]);
      const results = await bench.run(["results", run, "--output", "out.jsonl", "--wait"]);
      expect(results.code).toBe(0);
      rescuer.signal("SIGTERM");
      expect(await rescuer.exited).toMatchObject({ code: 0 });
      const ids = readRankings(bench.path("out.jsonl")).map(({ id }) => id);
      expect([ids.length, new Set(ids).size]).toEqual([RECORDS, RECORDS]);
      const attempts = await attemptsByJob(redis);
      for (const jobId of doneBefore) expect(attempts.get(jobId)).toBe(1);
      for (const jobId of [...frozenJobs, ...killedJobs]) expect(attempts.get(jobId)).toBe(2);

      const keys = await resultKeys(redis);
      const marks = frozenJobs.map((jobId) => [keys.get(jobId) ?? "", `D{"mark":"${jobId}"}`]);
      await redis.mset(marks.flat());
      zombie.signal("SIGCONT");
      for (const jobId of frozenJobs) await zombie.says(`"jobId":"${jobId}"`);
      // It is awake and has dealt with what it held; its end settles what may still be under way.
      zombie.signal("SIGTERM");
      expect(await zombie.exited).toMatchObject({ code: 0 });
      for (const [key = "", mark] of marks) expect(await redis.get(key)).toBe(mark);

      // Otherwise it would be given what is here already.
      await redis.flushall();
      expect((await bench.run(rerank("in.jsonl", "undisturbed.jsonl"))).code).toBe(0);
      expect(sortedLines(bench.path("out.jsonl"))).toEqual(
        sortedLines(bench.path("undisturbed.jsonl")),
      );
    },
    TIMEOUT_MS,
  );
});

describe.skipIf(!canSeeProcesses)("a worker that is told to stop", () => {
  it("hands back what it cannot finish, without cost, and leaves no lane", async () => {
    const run = await submit();
    const worker = await bench.worker([...SLOW, "--drain-timeout", "0"]);
    const lanes = lanesOf(worker.pid).map(({ pid }) => pid);
    const held = await freezeInTheMiddle(worker);
    worker.signal("SIGTERM");
    worker.signal("SIGCONT");
    expect(await worker.exited).toMatchObject({ code: 0, signal: null });
    await lanesDie(lanes);
    // In the queue again at once: nobody has to wait for a lock to expire.
    expect(await heldJobs(redis)).toEqual([]);
    const status = await bench.run(["status", run, "--json"]);
    expect(JSON.parse(status.stdout)).toMatchObject({ failed: 0, active: 0, total: RECORDS });
    await bench.worker(["--model", BUILTIN]);
    const results = await bench.run(["results", run, "--output", "out.jsonl", "--wait"]);
    expect(results.code).toBe(0);
    expect(countLines(bench.path("out.jsonl"))).toBe(RECORDS);
    for (const jobId of held) expect((await resultKeys(redis)).has(jobId)).toBe(true);
  });

  it("finishes what it holds where it has the time, and ends at once at the second signal", async () => {
    await submit();
    const patient = await bench.worker(SLOW);
    const held = await freezeInTheMiddle(patient);
    patient.signal("SIGINT");
    patient.signal("SIGCONT");
    expect(await patient.exited).toMatchObject({ code: 0, signal: null });
    const done = await resultKeys(redis);
    for (const jobId of held) expect(done.has(jobId)).toBe(true);
    expect(done.size).toBeLessThan(RECORDS);

    const stuck = await bench.worker(SLOW);
    const lanes = lanesOf(stuck.pid).map(({ pid }) => pid);
    // A lane that never answers: the drain cannot end by itself.
    for (const pid of lanes) process.kill(pid, "SIGSTOP");
    await stuck.until("it holds jobs", async () => (await heldJobs(redis)).length > 0);
    stuck.signal("SIGTERM");
    await stuck.says("stopping");
    stuck.signal("SIGTERM");
    expect(await stuck.exited).toMatchObject({ code: 143 });
    for (const pid of lanes) process.kill(pid, "SIGCONT");
    await lanesDie(lanes);
  });
});

describe.skipIf(!canSeeProcesses)("a lane that is killed in the middle of its work", () => {
  it("is replaced, and its pairs are scored by others", async () => {
    const run = bench.start(rerank("in.jsonl", "out.jsonl", "--lanes 2 --max-batch-size 2"));
    const killed: number[] = [];
    for (const rankings of [3, 40]) {
      await run.until(
        `${rankings} rankings are on disk`,
        () => countLines(bench.path("out.jsonl.partial")) >= rankings,
      );
      const lanes = lanesOf(run.pid).map(({ pid }) => pid);
      expect(lanes.length).toBeGreaterThan(0);
      for (const pid of lanes) process.kill(pid, "SIGKILL");
      killed.push(...lanes);
    }
    const exit = await run.exited;
    expect(exit.code).toBe(0);
    expect(exit.stderr.match(/"msg":"lane died"/g)).toHaveLength(killed.length);
    const rankings = readRankings(bench.path("out.jsonl"));
    expect(new Set(rankings.map(({ id }) => id)).size).toBe(RECORDS);
    expect(rankings.filter(({ errors }) => errors !== undefined)).toEqual([]);
    expect((await bench.run(rerank("in.jsonl", "undisturbed.jsonl"))).code).toBe(0);
    expect(sortedLines(bench.path("out.jsonl"))).toEqual(
      sortedLines(bench.path("undisturbed.jsonl")),
    );
  });
});

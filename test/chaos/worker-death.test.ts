/** Workers and lanes killed, frozen and stopped in the middle of real work. */
import { beforeEach, describe, expect, it } from "vitest";
import { rerank, type RunningCli, SAMPLE } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { lanesOf, look } from "../support/processes.js";
import { attemptsByJob, heldJobs, resultKeys } from "../support/queue-view.js";
import {
  countLines,
  multiply,
  readRankings,
  sortedLines,
  writeRecords,
} from "../support/records.js";
import { until } from "../support/until.js";
import { given, longTests, visibleProcesses } from "../support/needs.js";

const COPIES = 3;
const RECORDS = 54 * COPIES;
const SLOW = "--lanes 1 --concurrency 3 --max-batch-size 1 --no-calibrate";

const fleet = useFleet();

beforeEach(() => {
  writeRecords(fleet.bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
});

/** Freezes a worker at a moment when it has scored some and holds others. @returns what it holds */
async function freezeInTheMiddle(
  worker: RunningCli,
  others: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const doneBefore = (await resultKeys(fleet.redis)).size;
  const held = async (): Promise<string[]> =>
    (await heldJobs(fleet.redis)).filter((jobId) => !others.has(jobId));
  await fleet.gate.stepUntil("the worker has scored some", async () => {
    return (await resultKeys(fleet.redis)).size >= doneBefore + 3;
  });
  await fleet.gate.untilHeld();
  await until("the worker has jobs in hand", async () => (await held()).length > 0);
  await worker.freeze();
  return await held();
}

async function lanesDie(pids: readonly number[]): Promise<void> {
  await until("the lanes are gone", () => pids.every((pid) => look(pid) === undefined));
}

describe("workers that vanish with jobs in hand", given(visibleProcesses), () => {
  it("workers that vanish lose nothing and do nothing twice, and one that comes back overwrites nothing", async () => {
    const run = await fleet.submit("in.jsonl");
    fleet.gate.hold();
    const zombie = await fleet.worker(SLOW);
    const frozenJobs = await freezeInTheMiddle(zombie);

    const victim = await fleet.worker(SLOW);
    const lanes = lanesOf(victim.pid).map(({ pid }) => pid);
    expect(lanes).toHaveLength(1);
    const killedJobs = await freezeInTheMiddle(victim, new Set(frozenJobs));
    const doneBefore = [...(await resultKeys(fleet.redis)).keys()];
    expect(doneBefore.length).toBeGreaterThanOrEqual(6);
    expect(doneBefore.length).toBeLessThan(RECORDS);
    victim.signal("SIGKILL");
    await victim.exited;
    await lanesDie(lanes);

    fleet.gate.release();
    const rescuer = await fleet.worker();
    const results = await fleet.bench.run(["results", run, "--output", "out.jsonl", "--wait"]);
    expect(results.code).toBe(0);
    rescuer.signal("SIGTERM");
    expect(await rescuer.exited).toMatchObject({ code: 0 });
    const ids = readRankings(fleet.bench.path("out.jsonl")).map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([RECORDS, RECORDS]);
    const attempts = await attemptsByJob(fleet.redis);
    for (const jobId of doneBefore) expect(attempts.get(jobId)).toBe(1);
    for (const jobId of [...frozenJobs, ...killedJobs]) expect(attempts.get(jobId)).toBe(2);

    const keys = await resultKeys(fleet.redis);
    const marks = frozenJobs.map((jobId) => [keys.get(jobId) ?? "", `D{"mark":"${jobId}"}`]);
    await fleet.redis.mset(marks.flat());
    zombie.signal("SIGCONT");
    for (const jobId of frozenJobs) await zombie.says(`"jobId":"${jobId}"`);
    // It is awake and has dealt with what it held; its end settles what may still be under way.
    zombie.signal("SIGTERM");
    expect(await zombie.exited).toMatchObject({ code: 0 });
    for (const [key = "", mark] of marks) expect(await fleet.redis.get(key)).toBe(mark);

    // Otherwise it would be given what is here already.
    await fleet.redis.flushall();
    expect((await fleet.bench.run(rerank("in.jsonl", "undisturbed.jsonl"))).code).toBe(0);
    expect(sortedLines(fleet.bench.path("out.jsonl"))).toEqual(
      sortedLines(fleet.bench.path("undisturbed.jsonl")),
    );
  });
});

describe("a worker that is told to stop", given(visibleProcesses), () => {
  it("a worker that is told to stop hands back what it cannot finish, without cost, and leaves no lane", async () => {
    const run = await fleet.submit("in.jsonl");
    fleet.gate.hold();
    const worker = await fleet.worker(`${SLOW} --drain-timeout 0`);
    const lanes = lanesOf(worker.pid).map(({ pid }) => pid);
    const held = await freezeInTheMiddle(worker);
    worker.signal("SIGTERM");
    worker.signal("SIGCONT");
    expect(await worker.exited).toMatchObject({ code: 0, signal: null });
    await lanesDie(lanes);
    fleet.gate.release();
    // In the queue again at once: nobody has to wait for a lock to expire.
    expect(await heldJobs(fleet.redis)).toEqual([]);
    const status = await fleet.bench.run(["status", run, "--json"]);
    expect(JSON.parse(status.stdout)).toMatchObject({ failed: 0, active: 0, total: RECORDS });
    await fleet.worker();
    const results = await fleet.bench.run(["results", run, "--output", "out.jsonl", "--wait"]);
    expect(results.code).toBe(0);
    expect(countLines(fleet.bench.path("out.jsonl"))).toBe(RECORDS);
    for (const jobId of held) expect((await resultKeys(fleet.redis)).has(jobId)).toBe(true);
  });

  it("a worker that is told to stop finishes what it holds if it has the time", async () => {
    await fleet.submit("in.jsonl");
    fleet.gate.hold();
    const patient = await fleet.worker(SLOW);
    const held = await freezeInTheMiddle(patient);
    patient.signal("SIGINT");
    patient.signal("SIGCONT");
    await patient.says("stopping");
    fleet.gate.release();
    expect(await patient.exited).toMatchObject({ code: 0, signal: null });
    const done = await resultKeys(fleet.redis);
    for (const jobId of held) expect(done.has(jobId)).toBe(true);
    expect(done.size).toBeLessThan(RECORDS);
  });

  it(
    "a worker ends at once at the second signal, also with a lane that never answers",
    given(longTests),
    async () => {
      await fleet.submit("in.jsonl");
      const stuck = await fleet.worker(SLOW);
      const lanes = lanesOf(stuck.pid).map(({ pid }) => pid);
      // A lane that never answers: the drain cannot end by itself.
      for (const pid of lanes) process.kill(pid, "SIGSTOP");
      await stuck.until("it holds jobs", async () => (await heldJobs(fleet.redis)).length > 0);
      stuck.signal("SIGTERM");
      await stuck.says("stopping");
      stuck.signal("SIGTERM");
      expect(await stuck.exited).toMatchObject({ code: 143 });
      for (const pid of lanes) process.kill(pid, "SIGCONT");
      await lanesDie(lanes);
    },
  );
});

function deaths(run: RunningCli): number {
  return run.stderr.match(/"msg":"lane died"/g)?.length ?? 0;
}

describe(
  "a lane that is killed in the middle of its work",
  given(longTests, visibleProcesses),
  () => {
    it("a lane that is killed in the middle of its work is replaced, and its pairs are scored by others", async () => {
      fleet.gate.hold();
      const options = "--lanes 2 --max-batch-size 2 --no-calibrate";
      const run = fleet.bench.start(rerank("in.jsonl", "out.jsonl", options));
      const killed: number[] = [];
      for (const rankings of [3, 40]) {
        await fleet.gate.stepUntil(`${rankings} rankings are on disk`, () => {
          return countLines(fleet.bench.path("out.jsonl.partial")) >= rankings;
        });
        // Replacements of those that were killed before are at work, too.
        await until("two lanes are at work", () => lanesOf(run.pid).length === 2);
        await until("two messages are held", () => fleet.gate.held === 2);
        const lanes = lanesOf(run.pid).map(({ pid }) => pid);
        for (const pid of lanes) process.kill(pid, "SIGKILL");
        killed.push(...lanes);
        await until("their deaths are noticed", () => deaths(run) === killed.length);
      }
      fleet.gate.release();
      const exit = await run.exited;
      expect(exit.code).toBe(0);
      expect(deaths(run)).toBe(killed.length);
      const rankings = readRankings(fleet.bench.path("out.jsonl"));
      expect(new Set(rankings.map(({ id }) => id)).size).toBe(RECORDS);
      expect(rankings.filter(({ errors }) => errors !== undefined)).toEqual([]);
      expect((await fleet.bench.run(rerank("in.jsonl", "undisturbed.jsonl"))).code).toBe(0);
      expect(sortedLines(fleet.bench.path("out.jsonl"))).toEqual(
        sortedLines(fleet.bench.path("undisturbed.jsonl")),
      );
    });
  },
);

/** The cost of runs for Redis, counted in commands, which no machine's speed changes. */
import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AllRuns } from "../../producers/dashboard/all-runs.js";
import { PAGE_RUNS } from "../../producers/page/viewer.js";
import { runRunner } from "../../src/app/runner.js";
import { Runs } from "../../src/app/runs/runs.js";
import { submitRun } from "../../src/app/runs/submit-run.js";
import { reconcileRuns } from "../../src/app/worker/run-keeper.js";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import { emptyCounts, type RunCounts } from "../../src/core/run-counts.js";
import { DEFAULT_IN_FLIGHT_BOUNDS } from "../../src/core/in-flight-bounds.js";
import { resolveScoring } from "../../src/core/scoring.js";
import { GivenRecords, type GivenRecord } from "../../src/inputs/given-records.js";
import { openSpool } from "../../src/outputs/spool/registry.js";
import { modelTag, runKeys, RUNS_KEY } from "../../src/redis/keys.js";
import { hasRealRedis, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

function counted(pairs: number): RunCounts {
  return { ...emptyCounts(), pairs };
}

const MODEL = { name: "made-up", revision: "1", precision: "fp32" };
const TAG = modelTag(MODEL);
const SCORING = resolveScoring({ maxLength: 128, truncation: "only-second" });
const FINISHED = 10_000;
const MANY = 100_000;

let server: TestRedis;
let redis: Redis;
let runs: Runs;

beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
});

afterAll(async () => {
  await server.close();
});

beforeEach(async () => {
  await redis.flushall();
  runs = new Runs(redis, undefined);
});

/** Calls of each command so far, of all connections. */
async function calls(): Promise<Map<string, number>> {
  const info = await redis.info("commandstats");
  return new Map(
    [...info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].map(([, name = "", count]) => [
      name,
      Number(count),
    ]),
  );
}

async function callsWhile(act: () => Promise<void>): Promise<number> {
  const before = await calls();
  await act();
  const after = await calls();
  let sum = 0;
  for (const [name, count] of after) {
    if (name !== "info") sum += count - (before.get(name) ?? 0);
  }
  return sum;
}

/** Times that somebody looked for runs that are not over. */
async function looks(): Promise<number> {
  return (await calls()).get("smembers") ?? 0;
}

/** Runs that are over, as workers and runners leave them. */
async function finish(count: number, startMs: number): Promise<void> {
  const info = {
    model: MODEL.name,
    revision: MODEL.revision,
    precision: MODEL.precision,
    tag: TAG,
    state: "complete",
    input: "in.jsonl",
    ...SCORING,
    total: 0,
    chunks: 0,
    ttlSeconds: 1_000,
  };
  for (let at = 0; at < count; at += 1_000) {
    const writing = redis.pipeline();
    for (let i = at; i < Math.min(count, at + 1_000); i += 1) {
      const spooled = i % 2 === 0 ? "yes" : "no";
      const createdAt = new Date(startMs + i).toISOString();
      writing.hset(runKeys.run(`run-${i}`), { ...info, spooled, createdAt });
      writing.zadd(RUNS_KEY, startMs + i, `run-${i}`);
    }
    await writing.exec();
  }
}

function records(count: number): Iterable<GivenRecord> {
  return Array.from({ length: count }, (_, i) => ({ id: `r${i}`, query: "q", documents: ["d"] }));
}

async function submit(count: number): Promise<void> {
  const submission = {
    source: new GivenRecords(records(count), DEFAULT_LIMITS, undefined),
    input: "records",
    model: MODEL,
    scoring: SCORING,
    topN: undefined,
    run: "large",
    ttlSeconds: 1_000,
    inFlightJobs: 100,
    spool: undefined,
  };
  await submitRun(submission, runs);
}

// The other server tells no figures of its commands.
describe.runIf(hasRealRedis)("runs that are over", () => {
  it("cost an idle worker and an idle runner nothing", async () => {
    await finish(FINISHED, Date.now() - FINISHED);
    const stopping = new AbortController();
    const logger = pino({ level: "silent" });
    const spool = await openSpool("/nonexistent/spool", {});
    const limits = DEFAULT_LIMITS;
    const inFlight = DEFAULT_IN_FLIGHT_BOUNDS;
    const { store } = runs;
    const commands = await callsWhile(async () => {
      const before = await looks();
      const working = Promise.all([
        runRunner({ redis, store, spool, limits, inFlight, maxRuns: 4, logger }, stopping.signal),
        reconcileRuns(TAG, runs.partsOf(TAG), logger, stopping.signal),
      ]);
      await until("both have looked for runs", async () => (await looks()) - before >= 4);
      stopping.abort();
      await working;
    });
    // Four looks: each asks for an old index and for the runs that are not over.
    expect(commands).toBeLessThan(40);
  });

  it("are listed by pages, the newest first", async () => {
    await finish(FINISHED, 1_000);
    const seen: string[] = [];
    const commands = await callsWhile(async () => {
      for await (const { id } of runs.list()) if (seen.push(id) >= 20) break;
    });
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => `run-${FINISHED - 1 - i}`));
    expect(commands).toBeLessThan(150);
    let all = 0;
    for await (const _ of runs.list()) all += 1;
    expect(all).toBe(FINISHED);
  });

  it("keep figures of a part of a run apart from those of all of it: no speed comes of comparing them", async () => {
    await runs.store.sample("large", counted(900));
    await runs.store.sample("large", counted(100), "part");
    const all = await runs.store.sample("large", counted(1_000));
    expect(all.map(({ pairs }) => pairs)).toEqual([900, 1_000]);
  });

  it("are shown on pages of their own at a cost that does not grow with their number", async () => {
    const shown = 400;
    await finish(shown, 1_000_000);
    for (let at = 0; at < MANY; at += 1_000) {
      const older = Array.from({ length: 1_000 }, (_, i) => [at + i, `older-${at + i}`]);
      await redis.zadd(RUNS_KEY, ...older.flat());
    }
    const visible = new AllRuns(runs);
    const visit = async (after: string | undefined): Promise<readonly [number, string[]]> => {
      let ids: string[] = [];
      const commands = await callsWhile(async () => {
        ids = (await visible.page(after)).rows.map(({ id }) => id);
      });
      return [commands, ids];
    };
    // The first visit puts down the last figures of runs that an earlier version has left.
    const [, first] = await visit(undefined);
    expect(first).toEqual(Array.from({ length: PAGE_RUNS }, (_, i) => `run-${shown - 1 - i}`));
    await visit("run-200");
    for (const after of [undefined, "run-200"]) {
      const [commands, ids] = await visit(after);
      expect(ids).toHaveLength(PAGE_RUNS);
      expect(commands).toBeLessThan(200);
    }
    expect((await visit("gone"))[1]).toEqual(first);
  });

  it("leave the index once Redis has forgotten them", async () => {
    await finish(10, 1_000);
    await redis.del(runKeys.run("run-3"), runKeys.run("run-4"));
    let all = 0;
    for await (const _ of runs.list()) all += 1;
    expect(all).toBe(8);
    expect(await redis.zcard(RUNS_KEY)).toBe(8);
  });
});

describe.runIf(hasRealRedis)("a large run", () => {
  it("is cancelled and purged with a few commands for hundreds of its jobs", async () => {
    const RECORDS = 4_000;
    await submit(RECORDS);
    const run = await runs.open("large");
    let stopped = 0;
    const cancelling = await callsWhile(async () => {
      stopped = await run.cancel();
    });
    expect(stopped).toBe(RECORDS);
    const scripts = (await calls()).get("evalsha") ?? 0;
    expect(scripts).toBeGreaterThan(0);
    expect((await calls()).get("lrem") ?? 0).toBeLessThan(RECORDS / 100);
    expect(await redis.llen(`rankmill:{${TAG}}-bulk:wait`)).toBe(0);
    // Each job has its owner read and changed; all else is a command for hundreds of them.
    expect(cancelling / RECORDS).toBeLessThan(1.5);
    await run.purge();
    const left = await redis.keys("rankmill:*");
    expect(left.filter((key) => /run|owners|result|:r[0-9a-f]{40}/.test(key))).toEqual([]);
  });
});

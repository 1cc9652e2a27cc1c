/** Both kinds of submitted runs, held to one suite on a real Redis and a real spool. */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll } from "vitest";
import { runRunner } from "../../src/app/runner.js";
import { Runs } from "../../src/app/runs/runs.js";
import { submitRun } from "../../src/app/runs/submit-run.js";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import { DEFAULT_IN_FLIGHT_BOUNDS } from "../../src/core/in-flight-bounds.js";
import { resolveScoring } from "../../src/core/scoring.js";
import { GivenRecords } from "../../src/inputs/given-records.js";
import { openSpool } from "../../src/outputs/spool/registry.js";
import { modelTag } from "../../src/redis/keys.js";
import { GatedWorker } from "../support/gated-worker.js";
import { TestRedis } from "../support/redis-server.js";
import { describeRun, type RunPlace } from "./run.suite.js";

const MODEL = { name: "made-up", revision: "1", precision: "fp32" };
const SCORING = resolveScoring({ maxLength: 128, truncation: "only-second" });

let server: TestRedis;

beforeAll(async () => {
  server = await TestRedis.start();
});

afterAll(async () => {
  await server.close();
});

async function openPlace(spooled: boolean): Promise<RunPlace> {
  const redis = server.client();
  await redis.flushall();
  const folder = await realpath(await mkdtemp(join(tmpdir(), "rankmill-test-run-")));
  const spool = await openSpool(join(folder, "spool"), {});
  const runs = new Runs(redis, spooled ? () => Promise.resolve(spool) : undefined);
  const worker = await GatedWorker.start(server.client(), modelTag(MODEL));
  const stopping = new AbortController();
  const runner = spooled
    ? runRunner(
        {
          redis,
          store: runs.store,
          spool,
          limits: DEFAULT_LIMITS,
          inFlight: DEFAULT_IN_FLIGHT_BOUNDS,
          maxRuns: 4,
          logger: pino({ level: "silent" }),
        },
        stopping.signal,
      )
    : Promise.resolve();
  return {
    runs,
    redis,
    worker,
    folder,
    submit: async (records, run) => {
      const submission = {
        source: new GivenRecords(records, DEFAULT_LIMITS, undefined),
        input: "records of the test",
        model: MODEL,
        scoring: SCORING,
        topN: undefined,
        run,
        ttlSeconds: 1_000,
        inFlightJobs: 100,
        spool: spooled ? spool : undefined,
      };
      return (await submitRun(submission, runs)).run;
    },
    close: async () => {
      stopping.abort();
      await runner;
      await worker.close();
      await runs.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describeRun("redis", () => openPlace(false));
describeRun("spool", () => openPlace(true));

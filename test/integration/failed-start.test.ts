/**
 * A worker's start is made to fail at each of its steps, by what makes it fail in the field: nothing
 * may be left of it, and no job may have been touched.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { Writable } from "node:stream";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startWorker } from "../../src/app/worker/start-worker.js";
import type { WorkerOptions } from "../../src/app/worker/worker-options.js";
import { resolveModel, type ResolvedModel } from "../../src/models/resolve.js";
import { packageRoot } from "../../src/platform/package-root.js";
import { connectRedis } from "../../src/redis/connection.js";
import { modelTag } from "../../src/redis/keys.js";
import { makeJob } from "../../src/redis/make-job.js";
import { RedisJobQueue } from "../../src/redis/redis-job-queue.js";
import { openTokenizer } from "../../src/tokenizers/open-tokenizer.js";
import { Bench, BERT, BUILTIN, SAMPLE, words } from "../support/cli.js";
import { canSeeProcesses, lanesOf } from "../support/processes.js";
import { attemptsByJob } from "../support/queue-view.js";
import { hasRealRedis, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";
import type { RedisClient } from "../../src/redis/redis-client.js";

const JOBS = 8;
const MIB = 1024 * 1024;

let server: TestRedis;
let bench: Bench;
let watch: Redis;
let model: ResolvedModel;

beforeAll(async () => {
  server = await TestRedis.start();
  watch = server.client();
});
afterAll(() => server.close());

beforeEach(async () => {
  bench = await Bench.open({ REDIS_URL: server.url });
  const folder = bench.path("model");
  cpSync(BERT, folder, { recursive: true });
  model = await resolveModel(folder, { packageRoot: packageRoot() });
});
afterEach(async () => {
  await watch.flushall();
  await bench.close();
});

/** Jobs that wait for a worker of the model. */
async function enqueueJobs(): Promise<void> {
  const redis = server.client();
  const queue = new RedisJobQueue(redis, modelTag(model), MIB);
  const jobs = Array.from({ length: JOBS }, (_, i) =>
    makeJob(
      { id: `job ${i}`, query: "q", documents: [{ text: "d" }] },
      { maxLength: 64, truncation: "only-second" },
      { priority: "bulk" },
    ),
  );
  await queue.enqueue(jobs, "test");
  await queue.close();
  redis.disconnect();
}

/** The things that a start can leave behind, in this process and in Redis. */
async function inUse(): Promise<Record<string, unknown>> {
  const clients = String(await watch.client("LIST"))
    .trim()
    .split("\n");
  const resources = process.getActiveResourcesInfo();
  const count = (type: string) => resources.filter((one) => one === type).length;
  return {
    lanes: lanesOf(process.pid).length,
    connections: clients.length,
    processes: count("ProcessWrap"),
    threads: count("MessagePort"),
    servers: count("TCPServerWrap"),
  };
}

interface Failing {
  readonly options?: (redis: RedisClient) => Partial<WorkerOptions>;
  /** Does its damage when the worker logs this. */
  readonly at?: string;
  readonly damage?: () => unknown;
  readonly user?: string;
}

/** Starts a worker that cannot start. @returns why */
async function failedStart({ options, at, damage, user }: Failing): Promise<unknown> {
  const url = user === undefined ? server.url : server.url.replace("//", `//${user}:pw@`);
  const redis = await connectRedis({ url }, () => {});
  const log = new Writable({
    write(line: Buffer, _encoding, done) {
      if (at !== undefined && line.includes(at)) damage?.();
      done();
    },
  });
  try {
    const worker = await startWorker({
      model,
      opened: await openTokenizer(model.folder.path),
      redis,
      logger: pino({ level: "trace" }, log),
      env: process.env,
      lanes: 1,
      ...options?.(redis),
    });
    await worker.close(0);
    return "it started";
  } catch (error) {
    return error;
  } finally {
    redis.disconnect();
  }
}

/** @param mend puts right what `failing` has broken */
async function expectNothingLeft(
  failing: Failing,
  why: RegExp,
  mend: () => Promise<void> = async () => {},
): Promise<void> {
  // Before there is a connection of this test's own, which the server forgets when it gets to it.
  const before = await inUse();
  await enqueueJobs();
  const error = await failedStart(failing);
  await mend();
  expect(String(error)).toMatch(why);
  // The server takes note of a closed connection a moment later.
  let left: Record<string, unknown> = {};
  await until(
    "nothing is left of the start",
    async () => {
      left = await inUse();
      return JSON.stringify(left) === JSON.stringify(before);
    },
    () => JSON.stringify({ before, left }),
  );
  await expectJobsUntouched();
}

async function expectJobsUntouched(): Promise<void> {
  expect(await attemptsByJob(watch)).toEqual(new Map());
  const tag = modelTag(model);
  expect(await watch.llen(`rankmill:{${tag}}-bulk:active`)).toBe(0);
  expect(await watch.llen(`rankmill:{${tag}}-bulk:wait`)).toBe(JOBS);
}

describe.skipIf(!hasRealRedis || !canSeeProcesses)("a worker that cannot start", () => {
  it("leaves nothing if its health file cannot be written", async () => {
    const healthFile = bench.path("no/where");
    await expectNothingLeft({ options: () => ({ healthFile }) }, /healthFile/);
  });

  it("leaves nothing if its health file cannot be written any more once the lanes are ready", async () => {
    mkdirSync(bench.path("health"));
    await expectNothingLeft(
      {
        options: () => ({ healthFile: bench.path("health/file") }),
        at: "lane ready",
        damage: () => rmSync(bench.path("health"), { recursive: true }),
      },
      /healthFile/,
    );
  });

  it("leaves nothing if memory does not hold a lane", async () => {
    const kept = bench.path("kept");
    const small = { memoryLimitBytes: 32 * MIB, calibrationDir: kept };
    await expectNothingLeft({ options: () => small }, /too small/);
  });

  it("leaves nothing if its lanes cannot load the model", async () => {
    writeFileSync(model.onnxPath, "not a model");
    await expectNothingLeft({}, /model/);
  });

  it("leaves nothing if its scores cannot be cached", async () => {
    const dependent = { scoreCacheBytes: MIB, maxBatchSize: 8 };
    await expectNothingLeft({ options: () => dependent }, /scoreCacheBytes/);
  });

  it("leaves nothing if the list of served models is something else", async () => {
    await watch.set("rankmill:models", "text");
    await expectNothingLeft({}, /WRONGTYPE/);
  });

  it("leaves nothing if it may not hear of cancellations", async () => {
    await watch.call("ACL", "SETUSER", "deaf", "on", ">pw", "~*", "+@all", "resetchannels");
    await expectNothingLeft({ user: "deaf" }, /NOPERM/);
  });

  it("leaves nothing if Redis dies once the lanes are ready, and it is told to stop", async () => {
    const stopping = new AbortController();
    const failing: Failing = {
      options: (redis) => {
        redis.once("close", () => setTimeout(() => stopping.abort(new Error("told to stop")), 100));
        return { signal: stopping.signal };
      },
      at: "lane ready",
      damage: () => void server.kill(),
    };
    await expectNothingLeft(failing, /told to stop/, () => server.startAgain());
  });

  for (const step of ["lane ready", "lanes"]) {
    it(`leaves nothing if it is told to stop when it logs ${step}`, async () => {
      const stopping = new AbortController();
      const options = () => ({ signal: stopping.signal });
      const damage = () => stopping.abort(new Error("told to stop"));
      await expectNothingLeft({ options, at: step, damage }, /told to stop/);
    });
  }
});

describe.skipIf(!hasRealRedis)("a worker command that cannot start", () => {
  const worker = ["worker", "--model", BUILTIN, ...words("--lanes 1 --no-calibrate")];

  it("leaves the jobs of a run as they were, however often it is tried", async () => {
    const submitted = await bench.run(["submit", "--model", BUILTIN, "--input", SAMPLE]);
    expect(submitted.code, submitted.stderr).toBe(0);
    for (let i = 0; i < 3; i += 1) {
      const exit = await bench.run([...worker, "--health-file", "/nonexistent/dir/h"]);
      expect(exit.stderr).toContain("--health-file");
      expect(exit.stderr).not.toContain("left open");
      expect(exit.code).toBe(2);
    }
    expect(await watch.keys("rankmill:*:fence*")).toEqual([]);
    expect(await watch.keys("rankmill:*:active")).toEqual([]);
  });

  it("says which port is taken, and ends by itself", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const exit = await bench.run([...worker, "--metrics-port", String(port)]);
    taken.close();
    expect(exit.stderr).toContain("--metrics-port");
    expect(exit.stderr).not.toContain("left open");
    expect(exit.code).toBe(2);
  });
});

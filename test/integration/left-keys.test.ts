/** A `run` in a Redis of others' that is killed: the next start of the same command leaves no key behind. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_RESULT_TTL_SECONDS } from "../../src/redis/make-job.js";
import { Bench, rerank, SAMPLE } from "../support/cli.js";
import { Gate } from "../support/gate.js";
import { jobsAtWork, keySpace } from "../support/key-space.js";
import { given, realRedis } from "../support/needs.js";
import { countLines, multiply, readLines, sortedLines, writeRecords } from "../support/records.js";
import { TestRedis } from "../support/redis-server.js";

/** Keys that belong to a model and to no run. */
const OF_THE_MODEL = /^rankmill:models$|:(fences|meta|events|id)$/;
const ARGS = "--lanes 1 --concurrency 8 --no-calibrate";
const RECORDS = 54;

let releasing: Gate;
let server: TestRedis;
let bench: Bench;

beforeEach(async () => {
  releasing = await Gate.open("release");
  server = await TestRedis.start();
  bench = await Bench.open({ REDIS_URL: server.url, ...releasing.env });
});

afterEach(async () => {
  try {
    await bench.close();
  } finally {
    await server.close();
    await releasing.close();
  }
});

async function leftKeys(): Promise<string[]> {
  return (await keySpace(server.client())).filter((key) => !OF_THE_MODEL.test(key));
}

describe("a run that is killed after it has written rankings and before it releases their jobs", () => {
  it(
    "the same command releases the jobs that the killed run had written, and no key is left",
    given(realRedis),
    async () => {
      writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, 1));
      const partial = bench.path("out.jsonl.partial");
      const redis = server.client();
      releasing.hold();
      // Killed twice: what the first start left is released though the second has written more since.
      for (const before of [0, 1]) {
        const run = bench.start(rerank("in.jsonl", "out.jsonl", ARGS));
        await releasing.untilHeld();
        if (before > 0) releasing.hold(1);
        // A job in hand would wait for its dead worker's lock to run out.
        await run.until("rankings are written and no job is in hand", async () => {
          return countLines(partial) > before && (await jobsAtWork(redis)) === 0;
        });
        run.signal("SIGKILL");
        await run.exited;
      }
      const written = readLines(partial).map((line) => (JSON.parse(line) as { id: string }).id);
      expect(written.length).toBeGreaterThan(0);
      const left = (await leftKeys()).filter((key) => /:(result|fence|owners):/.test(key));
      expect(left.some((key) => key.includes(":result:"))).toBe(true);
      // If nobody came back, they would go by themselves.
      for (const key of left) {
        const seconds = await redis.ttl(key);
        expect(seconds, key).toBeGreaterThan(0);
        expect(seconds, key).toBeLessThanOrEqual(DEFAULT_RESULT_TTL_SECONDS);
      }
      releasing.release();
      const again = await bench.run(rerank("in.jsonl", "out.jsonl", ARGS));
      expect(again.stderr).toContain("are ranked already");
      expect(again.code).toBe(0);
      expect(new Set(sortedLines(bench.path("out.jsonl"))).size).toBe(RECORDS);
      expect(await leftKeys()).toEqual([]);
    },
  );
});

/** Two runs of one model on the same workers: neither waits for the other's end. */
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunStore } from "../../src/redis/run-store.js";
import { Bench, BUILTIN, SAMPLE, words } from "../support/cli.js";
import { multiply, writeRecords } from "../support/records.js";
import { hasRealRedis, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const RECORDS_A_COPY = 54;
const FIRST_COPIES = 60;
const SECOND_COPIES = 10;
const SLOW = "--lanes 1 --concurrency 8 --max-batch-size 1";
const TIMEOUT_MS = 300_000;

let server: TestRedis;
let redis: Redis;
let bench: Bench;
let store: RunStore;

beforeEach(async () => {
  server = await TestRedis.start();
  redis = server.client();
  store = new RunStore(redis);
  bench = await Bench.open({ REDIS_URL: server.url, RANKMILL_SPOOL: "spool" });
});

afterEach(async () => {
  await bench.close();
  await server.close();
});

/** Submits `copies` of the sample as records of the run's own: equal records would be one job. */
async function submit(name: string, copies: number, more = ""): Promise<string> {
  const records = multiply(SAMPLE, copies);
  writeRecords(
    bench.path(`${name}.jsonl`),
    records.map((record) => ({ ...record, id: `${name}-${String(record["id"])}` })),
  );
  const line = `submit --model ${BUILTIN} --input ${name}.jsonl ${more}`;
  const { stdout, code, stderr } = await bench.run(words(line));
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

async function done(run: string): Promise<number> {
  return (await store.readProgress(run)).counts.done;
}

/** Jobs that are in the queue or in a worker's hands. */
async function inQueue(): Promise<number> {
  const [wait = [], active = []] = await Promise.all(
    ["wait", "active"].map((list) => redis.keys(`rankmill:*-bulk:${list}`)),
  );
  const lengths = await Promise.all([...wait, ...active].map((key) => redis.llen(key)));
  return lengths.reduce((sum, length) => sum + length, 0);
}

describe.skipIf(!hasRealRedis)("two runs of one model", () => {
  it(
    "share its workers from the moment that the second begins",
    async () => {
      await bench.worker(["--model", BUILTIN, ...words(SLOW)]);
      bench.start(["runner"]);
      const first = await submit("first", FIRST_COPIES);
      await until("the first is under way", async () => (await done(first)) > 100);
      const second = await submit("second", SECOND_COPIES);
      const total = SECOND_COPIES * RECORDS_A_COPY;
      // What the first had waiting when the second came goes ahead of it.
      await until("the second is under way", async () => (await done(second)) > 0.2 * total);
      const before = [await done(first), await done(second)] as const;
      await until("the second is nearly over", async () => (await done(second)) > 0.9 * total);
      const after = [await done(first), await done(second)] as const;
      expect(after[0]).toBeLessThan(FIRST_COPIES * RECORDS_A_COPY);
      const [ofFirst, ofSecond] = [after[0] - before[0], after[1] - before[1]];
      const share = ofSecond / (ofFirst + ofSecond);
      expect(share).toBeGreaterThan(1 / 3);
      expect(share).toBeLessThan(2 / 3);
    },
    TIMEOUT_MS,
  );

  it("are held to the jobs in flight that their submitter allows", async () => {
    await submit("first", 3, "--in-flight-jobs 5");
    bench.start(["runner"]);
    await until("its window is full", async () => (await inQueue()) === 5);
    const worker = await bench.worker(["--model", BUILTIN]);
    let most = 0;
    const [run = ""] = (await store.index.ownable()).keys();
    await worker.until("all of it is ranked", async () => {
      most = Math.max(most, await inQueue());
      return (await store.find(run))?.state === "complete";
    });
    expect(most).toBeLessThanOrEqual(5);
  });
});

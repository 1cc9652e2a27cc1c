/** Two runs of one model on the same workers: neither waits for the other's end. */
import { RunStore } from "../../src/redis/run-store.js";
import { runKeys } from "../../src/redis/keys.js";
import { beforeEach, describe, expect, it } from "vitest";
import { SAMPLE } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { jobsInQueue } from "../support/queue-view.js";
import { multiply, writeRecords } from "../support/records.js";
import { until } from "../support/until.js";
import { given, longTests, realRedis } from "../support/needs.js";

const RECORDS_PER_COPY = 54;
const FIRST_COPIES = 60;
const SECOND_COPIES = 10;
/** Some times as many as may be in flight; each takes its turns of the whole fleet. */
const FEW_RECORDS = 15;
const SLOW = "--lanes 1 --concurrency 8 --max-batch-size 1 --no-calibrate";

const fleet = useFleet({ shared: "nothing", env: () => ({ RANKMILL_SPOOL: "spool" }) });
let store: RunStore;

beforeEach(() => {
  store = new RunStore(fleet.redis);
});

/** Submits `records` of the sample as records of the run's own: equal records would be one job. */
async function submit(name: string, records: number, more = ""): Promise<string> {
  const copies = multiply(SAMPLE, Math.ceil(records / RECORDS_PER_COPY));
  writeRecords(
    fleet.bench.path(`${name}.jsonl`),
    copies
      .slice(0, records)
      .map((record) => ({ ...record, id: `${name}-${String(record["id"])}` })),
  );
  return await fleet.submit(`${name}.jsonl`, more);
}

async function done(run: string): Promise<number> {
  return (await store.readProgress(run)).counts.done;
}

describe("two runs of one model", given(realRedis), () => {
  it(
    "two runs share the workers of their model from the moment that the second begins",
    given(longTests),
    async () => {
      await fleet.worker(SLOW);
      fleet.bench.start(["runner"]);
      const first = await submit("first", FIRST_COPIES * RECORDS_PER_COPY);
      await until("the first is under way", async () => (await done(first)) > 100);
      // The first must not be over before the second has begun.
      fleet.gate.hold();
      const second = await submit("second", SECOND_COPIES * RECORDS_PER_COPY);
      await until("jobs of the second wait", async () => {
        return (await fleet.redis.scard(runKeys.jobs(second))) > 0;
      });
      fleet.gate.release();
      const total = SECOND_COPIES * RECORDS_PER_COPY;
      // The jobs of the first that waited when the second came go ahead of it.
      await until("the second is under way", async () => (await done(second)) > 0.2 * total);
      const before = [await done(first), await done(second)] as const;
      await until("the second is nearly over", async () => (await done(second)) > 0.9 * total);
      const after = [await done(first), await done(second)] as const;
      expect(after[0]).toBeLessThan(FIRST_COPIES * RECORDS_PER_COPY);
      const [ofFirst, ofSecond] = [after[0] - before[0], after[1] - before[1]];
      const share = ofSecond / (ofFirst + ofSecond);
      expect(share).toBeGreaterThan(1 / 3);
      expect(share).toBeLessThan(2 / 3);
    },
  );

  it("a run never has more jobs in flight than its submitter allows", async () => {
    await submit("first", FEW_RECORDS, "--in-flight-jobs 5");
    fleet.bench.start(["runner"]);
    await until("its window is full", async () => (await jobsInQueue(fleet.redis)) === 5);
    const worker = await fleet.worker();
    let most = 0;
    const [run = ""] = (await store.index.ownable()).keys();
    await worker.until("all of it is ranked", async () => {
      // The lists of the queue hold a job for a moment after its end was announced.
      most = Math.max(most, await fleet.redis.scard(runKeys.jobs(run)));
      return (await store.find(run))?.state === "complete";
    });
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(5);
  });
});

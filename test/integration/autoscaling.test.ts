/** The figures that an autoscaler reads of a backlog: the lists that the manifests name, and the backlog in pairs. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBacklog } from "../../src/redis/backlog.js";
import { listServedModels } from "../../src/redis/model-registry.js";
import { makeJob } from "../../src/redis/make-job.js";
import { RedisJobQueue } from "../../src/redis/redis-job-queue.js";
import { modelTag } from "../../src/redis/keys.js";
import { SAMPLE } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { redisKinds, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const MANIFEST = readFileSync(
  new URL("../../docker/kubernetes/overlays/keda-redis/scaledobject.yaml", import.meta.url),
  "utf8",
);
const LISTS = [...MANIFEST.matchAll(/listName: "(.+)"/g)].map(([, name = ""]) => name);
const TAG = /\{(.+)\}/.exec(LISTS[0] ?? "")?.[1] ?? "";
const RECORDS = 54;
/** Twice as many jobs as are looked at one by one. */
const MANY_JOBS = 400;

describe("the lists that the manifest for KEDA names", () => {
  const fleet = useFleet();

  it("the lists that the manifest for KEDA names hold the jobs that wait and those that are worked on", async () => {
    expect(LISTS).toEqual(
      ["bulk:wait", "interactive:wait", "bulk:active", "interactive:active"].map(
        (list) => `rankmill:{${TAG}}-${list}`,
      ),
    );
    const client = fleet.redis;
    const lengths = (): Promise<number[]> =>
      Promise.all(LISTS.map(async (list) => await client.llen(list)));
    const first = await fleet.worker("--lanes 1 --no-calibrate");
    expect((await listServedModels(client)).map(modelTag)).toEqual([TAG]);
    first.signal("SIGTERM");
    await first.exited;
    await fleet.submit(SAMPLE);
    expect(await lengths()).toEqual([RECORDS, 0, 0, 0]);
    for (const other of ["prioritized", "delayed"]) {
      expect(await client.zcard(`rankmill:{${TAG}}-bulk:${other}`)).toBe(0);
    }
    fleet.gate.hold();
    await fleet.worker("--lanes 1 --concurrency 2 --max-batch-size 1 --no-calibrate");
    await until("the worker has two jobs in hand", async () => (await lengths())[2] === 2);
    expect(await lengths()).toEqual([RECORDS - 2, 0, 2, 0]);
    fleet.gate.release();
    await until("all is done", async () => (await lengths()).every((length) => length === 0));
  });
});

describe.each(redisKinds)("the backlog in pairs, on %s", (kind) => {
  let own: TestRedis;

  beforeEach(async () => {
    own = await TestRedis.start({ kind });
  });
  afterEach(() => own.close());

  async function enqueue(counts: readonly number[]): Promise<void> {
    const queue = new RedisJobQueue(own.client(), "tag", 1_000_000);
    const jobs = counts.map((count, i) => {
      // Text that looks like the figure itself must not be taken for it.
      const text = `"pairs": 999999 of \\"pairs\\":777 ${"x".repeat(i % 2 === 0 ? 10 : 40_000)}`;
      const documents = Array.from({ length: count }, () => ({ text }));
      return makeJob(
        { id: String(i), query: '"pairs":5', documents },
        { maxLength: 16, truncation: "only-second" },
        { priority: "bulk", ttlSeconds: 60 },
      );
    });
    await queue.enqueue(jobs, "me");
    await queue.close();
  }

  const bulk = async () =>
    (await readBacklog(own.client(), "tag")).find((one) => one.queue === "bulk");

  it("the backlog in pairs is exact while few jobs wait", async () => {
    expect(await bulk()).toMatchObject({ jobs: { waiting: 0 }, pairs: { waiting: 0, active: 0 } });
    await enqueue([1, 2, 3, 100]);
    expect(await bulk()).toEqual({
      queue: "bulk",
      jobs: { waiting: 4, active: 0, delayed: 0, failed: 0 },
      pairs: { waiting: 106, active: 0 },
    });
  });

  it("the backlog in pairs is estimated from both ends of the list if many jobs wait", async () => {
    // The older half has 2 pairs per job, the newer one 4.
    await enqueue(Array.from({ length: MANY_JOBS }, (_, i) => (i < MANY_JOBS / 2 ? 2 : 4)));
    expect(await bulk()).toMatchObject({ pairs: { waiting: 3 * MANY_JOBS } });
  });
});

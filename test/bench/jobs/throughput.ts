import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NewJob } from "../../../src/core/job.js";
import { endedChannel, modelTag } from "../../../src/redis/keys.js";
import { connectRedis } from "../../../src/redis/connection.js";
import { listServedModels } from "../../../src/redis/model-registry.js";
import { makeJob } from "../../../src/redis/make-job.js";
import { RedisJobQueue } from "../../../src/redis/redis-job-queue.js";
import { RankmillWorker } from "../support/rankmill-worker.js";
import { startRedis, urlOf } from "../support/redis.js";
import { median } from "../support/statistics.js";
import { writeFreeModel } from "./free-model.js";

/** Enough for a few seconds each. */
const JOBS = { "redis-server": 4_000, js: 400 } as const;
const WARM_UP_JOBS = 200;
const REPETITIONS = 3;
const OWNER = "bench";
const MAX_LENGTH = 512;
const MAX_PAYLOAD_BYTES = 1_048_576;

/** Jobs of one document through one worker, from the first enqueued to the last ended. */
export async function measureThroughput(kind: "redis-server" | "js"): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), "rankmill-bench-"));
  const modelFolder = join(folder, "free");
  await writeFreeModel(modelFolder);
  const redis = await startRedis(kind);
  const url = urlOf(redis);
  const worker = await RankmillWorker.start(url, ["--model", modelFolder]);
  const connection = await connectRedis({ url }, () => undefined);
  try {
    const [served] = await listServedModels(connection);
    if (served === undefined) throw new Error("the worker registered no model");
    const tag = modelTag(served);
    const queue = new RedisJobQueue(connection, tag, MAX_PAYLOAD_BYTES);
    let serial = 0;
    const prepare = (): NewJob => {
      serial += 1;
      const documents = [{ text: `document number ${serial} of the bench` }];
      return makeJob(
        { id: String(serial), query: "which number is it", documents },
        { maxLength: MAX_LENGTH, truncation: "only-second" },
        { priority: "bulk" },
      );
    };
    // Rankings ended, as the worker publishes them: asking for each would be most of the work.
    let awaited = 0;
    let allEnded: (() => void) | undefined;
    const subscriber = connection.duplicate();
    await subscriber.subscribe(endedChannel(tag));
    subscriber.on("message", (_channel, jobIds: string) => {
      awaited -= jobIds.split(",").length;
      if (awaited === 0) allEnded?.();
    });
    const through = async (count: number): Promise<number> => {
      const jobs = Array.from({ length: count }, prepare);
      awaited = count;
      const finished = new Promise<void>((resolve) => (allEnded = resolve));
      const started = performance.now();
      await queue.enqueue(jobs, OWNER);
      await finished;
      return (performance.now() - started) / 1000;
    };
    await through(WARM_UP_JOBS);
    const seconds: number[] = [];
    for (let i = 0; i < REPETITIONS; i += 1) seconds.push(await through(JOBS[kind]));
    const middle = median(seconds);
    subscriber.disconnect();
    await queue.close();
    const server = `${redis.implementation} ${redis.version}`;
    const perSecond = (JOBS[kind] / middle).toFixed(0);
    return [[server, String(JOBS[kind]), "1", middle.toFixed(2), perSecond]];
  } finally {
    connection.disconnect();
    await worker.stop();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

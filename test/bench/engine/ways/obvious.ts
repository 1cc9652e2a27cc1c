/** The obvious way: a BullMQ worker that runs each job as one padded batch. */
import { Queue, Worker } from "bullmq";
import { padEachJob, type PlainJob } from "./pad-each-job.js";
import { serveWay } from "./serve-way.js";

/**
 * Each batch freezes the event loop, which BullMQ renews its locks on: with the default of 30 s, jobs
 * are lost on a busy machine. This keeps it measurable.
 */
const LOCK_MS = 600_000;

serveWay(async ({ modelFolder, onnxPath, redisPath, maxLength }) => {
  const rerank = await padEachJob({ folder: modelFolder, onnxPath, maxLength });
  const connection = { path: redisPath, maxRetriesPerRequest: null };
  const name = `obvious-${process.pid}`;

  const queue = new Queue<PlainJob>(name, { connection });
  const logits: number[][] = [];
  let remaining = 0;
  let allDone: (() => void) | undefined;
  const worker = new Worker<PlainJob, number[]>(name, ({ data }) => rerank(data), {
    connection,
    lockDuration: LOCK_MS,
  });
  worker.on("completed", (job, result) => {
    logits[Number(job.name)] = result;
    remaining -= 1;
    if (remaining === 0) allDone?.();
  });
  await worker.waitUntilReady();

  return async (jobs) => {
    logits.length = 0;
    remaining = jobs.length;
    const finished = new Promise<void>((resolve, reject) => {
      allDone = resolve;
      worker.once("failed", (_job, error) => reject(error));
    });
    const started = performance.now();
    await queue.addBulk(
      jobs.map(({ query, documents }, index) => ({
        name: String(index),
        data: { query, documents },
        opts: { removeOnComplete: true },
      })),
    );
    await finished;
    worker.removeAllListeners("failed");
    return { seconds: (performance.now() - started) / 1000, logits: [...logits] };
  };
});

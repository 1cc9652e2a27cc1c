/**
 * `obvious-worker.ts FOLDER MAX_LENGTH REDIS_SOCKET QUEUE`: the obvious way as a service of its own,
 * to be put into a container with a memory limit.
 */
import process from "node:process";
import { join } from "node:path";
import { Worker } from "bullmq";
import { padEachJob, type PlainJob } from "../engine/ways/pad-each-job.js";

const [folder = "", maxLength = "", redisPath = "", queue = ""] = process.argv.slice(2);
const rerank = await padEachJob({
  folder,
  onnxPath: join(folder, "onnx/model.onnx"),
  maxLength: Number(maxLength),
});
const worker = new Worker<PlainJob, number>(
  queue,
  async ({ data }) => (await rerank(data)).length,
  // Long batches freeze the event loop on which locks are renewed.
  { connection: { path: redisPath, maxRetriesPerRequest: null }, lockDuration: 600_000 },
);
await worker.waitUntilReady();
process.stdout.write("ready\n");

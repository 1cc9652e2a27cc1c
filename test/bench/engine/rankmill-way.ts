import { createClient, type Client } from "../../../src/index.js";
import { RankmillWorker } from "../support/rankmill-worker.js";
import type { BenchJob, OpenWay, Scored, WayOptions } from "./way.js";

const RESULT_TIMEOUT_MS = 600_000;

/** The product as it is used: `rankmill worker`, a real Redis and the client library. */
export async function openRankmillWay(
  options: WayOptions,
  workerArgs: readonly string[] = [],
): Promise<OpenWay> {
  const redisUrl = `unix://${options.redisPath}`;
  const worker = await RankmillWorker.start(redisUrl, [
    "--model",
    options.modelFolder,
    "--precision",
    options.precision,
    ...workerArgs,
  ]);
  const client = await createClient({ redisUrl });
  const model = options.modelFolder.split("/").at(-1) ?? "";
  let repetition = 0;
  return {
    startSeconds: worker.startSeconds,
    pid: worker.pid,
    score: async (jobs, inFlight = jobs.length) => {
      repetition += 1;
      // Without an id of its own, an equal job would be answered from the result store.
      const name = `${process.pid}-${options.precision}-${repetition}`;
      return await enqueueAll(client, model, name, options.maxLength, jobs, inFlight);
    },
    close: async () => {
      await client.close();
      await worker.stop();
    },
  };
}

async function enqueueAll(
  client: Client,
  model: string,
  name: string,
  maxLength: number,
  jobs: readonly BenchJob[],
  inFlight: number,
): Promise<Scored> {
  const logits: number[][] = [];
  let next = 0;
  const produce = async (): Promise<void> => {
    for (;;) {
      const index = next;
      next += 1;
      const job = jobs[index];
      if (job === undefined) return;
      const enqueued = await client.enqueue({
        model,
        id: `${name}-${index}`,
        query: job.query,
        documents: job.documents,
        maxLength,
        priority: "bulk",
      });
      const ranking = await enqueued.result({ timeoutMs: RESULT_TIMEOUT_MS });
      if (ranking.errors.length > 0) throw new Error(JSON.stringify(ranking.errors[0]));
      const scores: number[] = [];
      for (const result of ranking.results) scores[result.index] = result.logit;
      logits[index] = scores;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: Math.min(inFlight, jobs.length) }, produce));
  return { seconds: (performance.now() - started) / 1000, logits };
}

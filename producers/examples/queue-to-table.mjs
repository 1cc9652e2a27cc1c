// A pipeline: questions come from a BullMQ queue of your own, rankings go into a table, and a question
// leaves the queue once its rows are written. It may be killed at any time: what was not written comes again.
//   node queue-to-table.mjs rankings.jsonl        needs: rankmill worker --model builtin-bm25
import { randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import { Worker } from "bullmq";
import { createClient } from "rankmill";

const [path = "rankings.jsonl"] = process.argv.slice(2);
const redisUrl = process.env.REDIS_URL ?? "redis://localhost:6379";
const token = randomUUID();
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort()).once("SIGINT", () => stop.abort());

// The table is a file here, one row per document. In a database this is
//   INSERT … ON CONFLICT (question, document) DO UPDATE, for a question may come twice.
const table = await open(path, "a");
async function insert(rows) {
  await table.write(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await table.datasync();
}

// Without a processor BullMQ hands out jobs one by one; the lock is longer than any ranking takes.
const queue = new Worker("questions", null, {
  connection: { url: redisUrl, maxRetriesPerRequest: null },
  lockDuration: 600_000,
});

/** Questions as requests; each carries its job, which enqueueMany gives back beside the ranking. */
async function* questions() {
  while (!stop.signal.aborted) {
    const job = await queue.getNextJob(token);
    if (job === undefined) return; // The queue is empty. A service would wait and go on.
    const { question, passages } = job.data;
    yield { model: "builtin-bm25", id: job.id, query: question, documents: passages, topN: 3, job };
  }
}

const client = await createClient({ redisUrl });
try {
  const bounds = { inFlightJobs: 64, signal: stop.signal };
  for await (const result of client.enqueueMany(questions(), bounds)) {
    const { job } = result.request;
    if (result.status === "failed") {
      await job.moveToFailed(result.error, token, false);
      continue;
    }
    await insert(
      result.ranking.results.map(({ index, relevanceScore }, rank) => ({
        question: job.id,
        rank: rank + 1,
        document: index,
        score: relevanceScore,
      })),
    );
    await job.moveToCompleted("written", token, false);
  }
} catch (error) {
  if (!stop.signal.aborted) throw error;
} finally {
  await client.close();
  await queue.close();
  await table.close();
}

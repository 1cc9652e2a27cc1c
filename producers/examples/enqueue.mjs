// A producer that does not wait: it enqueues a file of requests and prints where each ranking will be.
//   node enqueue.mjs sample.jsonl | python3 read_rankings.py
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createClient } from "rankmill";

const [file = new URL("sample.jsonl", import.meta.url)] = process.argv.slice(2);
const client = await createClient({ redisUrl: process.env.REDIS_URL ?? "redis://localhost:6379" });
try {
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { id, query, documents } = JSON.parse(line);
    const job = await client.enqueue({
      model: "builtin-bm25",
      priority: "bulk",
      id,
      query,
      documents,
    });
    console.log(job.resultKey);
  }
} finally {
  await client.close();
}

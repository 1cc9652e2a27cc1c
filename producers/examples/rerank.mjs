// One call: a query and its documents in, a ranking out.
//   REDIS_URL=redis://localhost:6379 node rerank.mjs        needs: rankmill worker --model builtin-bm25
import { createClient } from "rankmill";

const client = await createClient({ redisUrl: process.env.REDIS_URL ?? "redis://localhost:6379" });
try {
  const documents = ["Berlin is the capital of Germany.", "Paris is the capital of France."];
  const { results } = await client.rerank(
    { model: "builtin-bm25", query: "capital of France", documents },
    { timeoutMs: 10_000 },
  );
  for (const { index, relevanceScore } of results) {
    console.log(relevanceScore.toFixed(3), documents[index]);
  }
} catch (error) {
  // no_worker: start one. timeout: it is slow. redis_unavailable: Redis is away.
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await client.close();
}

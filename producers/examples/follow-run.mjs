// A run whose rankings are taken as they come; they are complete when the loop ends.
//   REDIS_URL=redis://localhost:6379 node follow-run.mjs FILE    needs: rankmill worker --model builtin-bm25
import { createClient } from "rankmill";

const [, , file] = process.argv;
const client = await createClient({ redisUrl: process.env.REDIS_URL ?? "redis://localhost:6379" });
try {
  const run = await client.runs.submit(file, { model: "builtin-bm25" });
  for await (const { id, results } of run.rankings({ follow: true })) {
    console.log(id, results[0].id ?? results[0].index);
  }
  for await (const { line, reason } of run.failures()) console.error(`line ${line}: ${reason}`);
} catch (error) {
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await client.close();
}

import OpenAI, { toFile } from "openai";
import { task, tell } from "./task.mjs";

const { url, key, model, query, documents } = task;
const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1` });
const line = {
  custom_id: "one",
  method: "POST",
  url: "/v1/rerank",
  body: { model, query, documents },
};
const input = await client.files.create({
  file: await toFile(Buffer.from(`${JSON.stringify(line)}\n`), "requests.jsonl"),
  purpose: "batch",
});
let batch = await client.batches.create({
  input_file_id: input.id,
  endpoint: "/v1/rerank",
  completion_window: "24h",
});
while (!["completed", "failed", "cancelled", "expired"].includes(batch.status)) {
  await new Promise((resolve) => setTimeout(resolve, 200));
  batch = await client.batches.retrieve(batch.id);
}
if (batch.status !== "completed") throw new Error(JSON.stringify(batch));
const { total, completed, failed } = batch.request_counts;
if (total !== 1 || completed !== 1 || failed !== 0) throw new Error(JSON.stringify(batch));
const output = await client.files.content(batch.output_file_id);
const answer = JSON.parse(await output.text());
if (answer.custom_id !== "one") throw new Error(JSON.stringify(answer));
const { results } = answer.response.body;
tell(results.map(({ index, relevance_score }) => [index, relevance_score]));

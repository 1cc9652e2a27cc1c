import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { z } from "zod";
import { freePort } from "../../support/redis-server.js";
import type { BenchJob, OpenWay } from "../engine/way.js";

export const TEI_PROGRAM = "text-embeddings-router";
/** Requests at once: with one, it would wait for itself. */
const REQUESTS = 10;
const MOST_DOCUMENTS = 1_000;

const rankedSchema = z.array(z.object({ index: z.number(), score: z.number() }));

/** Whether text-embeddings-inference is on PATH. */
export function hasTei(): boolean {
  try {
    execFileSync(TEI_PROGRAM, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Hugging Face's server, one request per job. */
export async function openTeiWay(modelFolder: string): Promise<OpenWay> {
  const port = await freePort();
  const args = ["--model-id", modelFolder, "--port", String(port), "--auto-truncate"];
  args.push("--max-client-batch-size", String(MOST_DOCUMENTS));
  const started = performance.now();
  const child = spawn(TEI_PROGRAM, args, { stdio: "ignore" });
  const address = `http://127.0.0.1:${port}`;
  while (!(await isHealthy(address))) {
    if (child.exitCode !== null) throw new Error(`${TEI_PROGRAM} ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    startSeconds: (performance.now() - started) / 1000,
    pid: child.pid,
    score: async (jobs) => {
      const logits: number[][] = jobs.map(() => []);
      let next = 0;
      const client = async (): Promise<void> => {
        for (let at = next++; at < jobs.length; at = next++) {
          const job = jobs[at];
          if (job !== undefined) logits[at] = await rerank(address, job);
        }
      };
      const started = performance.now();
      await Promise.all(Array.from({ length: REQUESTS }, client));
      return { seconds: (performance.now() - started) / 1000, logits };
    },
    close: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function rerank(address: string, { query, documents }: BenchJob): Promise<number[]> {
  const response = await fetch(`${address}/rerank`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, texts: documents, raw_scores: true, truncate: true }),
  });
  if (!response.ok) throw new Error(`${TEI_PROGRAM}: ${response.status} ${await response.text()}`);
  const scores: number[] = [];
  for (const { index, score } of rankedSchema.parse(await response.json())) scores[index] = score;
  return scores;
}

async function isHealthy(address: string): Promise<boolean> {
  return await fetch(`${address}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

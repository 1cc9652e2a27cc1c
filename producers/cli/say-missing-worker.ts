import type { RunSummary } from "../../src/app/runs/run.js";
import { modelTag } from "../../src/redis/keys.js";
import type { RedisClient } from "../../src/redis/redis-client.js";
import { listWorkers } from "../../src/redis/worker-registry.js";
import { paint } from "./painted.js";
import { workerHint } from "./status-table.js";
import { say } from "./terminal.js";

/** Says with what command to start a worker, if a run waits for a model that nobody serves. */
export async function sayMissingWorker(
  redis: RedisClient,
  { model }: Pick<RunSummary, "model">,
): Promise<void> {
  const workers = await listWorkers(redis, modelTag(model));
  if (workers.length === 0) sayHint(workerHint({ model }));
}

export function sayHint(hint: string): void {
  say(...hint.split("\n").map((line) => paint("yellow", line)));
}

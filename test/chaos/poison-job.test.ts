/** A job that ends its worker while it is tokenised, beside others: real workers, killed by SIGKILL. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClient, type Client } from "../../src/index.js";
import { BUILTIN, words, type RunningCli } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { Gate } from "../support/gate.js";
import { given, visibleProcesses } from "../support/needs.js";
import { accusedJobs, attemptsByJob, expireLocks } from "../support/queue-view.js";
import { until } from "../support/until.js";

const BYSTANDERS = 64;
/** Requests that a tokenizer's thread has at once. */
const IN_THREAD = 2;
/** Deaths after which a job that alone was being tokenised is given up. */
const DEATHS_ALONE = 3;
const RESULT_TIMEOUT_MS = 600_000;
/** All jobs in one worker's hands. */
const ARGS = `--lanes 1 --no-calibrate --concurrency ${BYSTANDERS + 1}`;

const fleet = useFleet();
let tokenizing: Gate;
let client: Client;

beforeEach(async () => {
  tokenizing = await Gate.open("tokenizer");
  client = await createClient({ redisUrl: fleet.server.url });
});
afterEach(async () => {
  await client.close();
  await tokenizing.close();
});

async function startWorker(): Promise<RunningCli> {
  return await fleet.bench.worker(["--model", BUILTIN, ...words(ARGS)], { env: tokenizing.env });
}

async function kill(worker: RunningCli): Promise<void> {
  worker.signal("SIGKILL");
  await worker.exited;
  await until("its messages are gone from the gate", () => tokenizing.held === 0);
}

/** @returns a promise of the job's end: `scored`, or the code of its failure */
async function enqueue(id: string): Promise<{ jobId: string; end: Promise<string> }> {
  const job = await client.enqueue({
    model: BUILTIN,
    id,
    query: `query of ${id}`,
    documents: [`text of ${id}`],
    priority: "bulk",
  });
  const end = job.result({ timeoutMs: RESULT_TIMEOUT_MS }).then(
    () => "scored",
    (error: { code?: string }) => error.code ?? "no code",
  );
  return { jobId: job.id, end };
}

/** Lets jobs be tokenised, one after the other, until it is this one's turn. */
async function stepUntilAlone(jobId: string): Promise<void> {
  await until("the poison alone is being tokenised", async () => {
    if (tokenizing.held === 0) return false;
    const charged = [...(await accusedJobs(fleet.redis)).keys()].filter((id) => id !== jobId);
    // Who is being tokenised stands beside the one that killed workers before.
    expect(charged.length).toBeLessThanOrEqual(1);
    if (charged.length === 0) return true;
    tokenizing.hold(1);
    return false;
  });
}

describe("a job that ends its worker while it is tokenised", given(visibleProcesses), () => {
  it("a job that ends its worker while it is tokenised is given up after three deaths of its own, and 64 beside it are never charged", async () => {
    tokenizing.hold();
    const poison = await enqueue("poison");
    const bystanders = await Promise.all(
      Array.from({ length: BYSTANDERS }, async (_, at) => await enqueue(`bystander ${at}`)),
    );

    const first = await startWorker();
    await first.until("all jobs are on their way through the tokenizer", async () => {
      const begun = await attemptsByJob(fleet.redis);
      return begun.size === BYSTANDERS + 1 && tokenizing.held === IN_THREAD;
    });
    await kill(first);
    // Any of them may have done it, so none is charged.
    expect([...(await accusedJobs(fleet.redis)).keys()]).toEqual([]);

    for (let deaths = 1; deaths <= DEATHS_ALONE; deaths += 1) {
      await expireLocks(fleet.redis);
      const worker = await startWorker();
      await stepUntilAlone(poison.jobId);
      await kill(worker);
      const charged = await accusedJobs(fleet.redis);
      expect([...charged]).toEqual([[poison.jobId, { "-1": String(deaths) }]]);
    }

    await expireLocks(fleet.redis);
    tokenizing.release();
    await startWorker();
    expect(await poison.end).toBe("job_killed_worker");
    const ends = await Promise.all(bystanders.map(async ({ end }) => await end));
    expect(ends).toEqual(ends.map(() => "scored"));
  });
});

/** A job whose text kills the worker that tokenises it, beside others: workers die and are followed by others. */
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/core/contract.js";
import { RankmillError } from "../../../src/core/errors.js";
import { envelopeSchema } from "../../../src/core/job-envelope.js";
import type { TakenJob } from "../../../src/core/job.js";
import { tokenisedPart } from "../../../src/core/ports/result-store.js";
import { JobProcessor } from "../../../src/pipeline/process-job.js";
import { Permits } from "../../../src/platform/permits.js";
import { FunctionScorer } from "../../support/fakes/function-scorer.js";
import { MemoryJobs } from "../../support/fakes/memory-jobs.js";
import { MemoryPayloadStore } from "../../support/fakes/memory-payload-store.js";
import { MemoryResultStore } from "../../support/fakes/memory-result-store.js";
import { MortalResultStore } from "../../support/fakes/mortal-result-store.js";
import { CharTokenizer } from "../../support/fakes/tokenizers.js";
import { turn } from "../../support/turn.js";

const BYSTANDERS = 64;
const POISON = "poison";
const MOST_WORKERS = 20;
/** Fills a pair of the jobs' 512 tokens. */
const FULL = "x".repeat(512);
/** Documents whose pairs are more than one part of a job, 262,144 tokens. */
const PART_DOCUMENTS = 600;
const NEVER_AGAIN = new Promise<never>(() => {});

function takenJob(jobId: string, ...texts: readonly string[]): TakenJob {
  const documents = texts.map((text) => ({ text }));
  const request = JSON.stringify({ id: jobId, query: "q", documents });
  const envelope = envelopeSchema.parse({
    v: 1,
    pairs: texts.length,
    bytes: request.length,
    request,
    options: { maxLength: 512, truncation: "only-second" },
    ttlSeconds: 60,
  });
  return { jobId, priority: "bulk", lastAttempt: false, envelope };
}

/** Works until every job has ended, or the poison kills it. @returns true if it died */
async function work(redis: MemoryJobs, jobs: readonly TakenJob[]): Promise<boolean> {
  const worker = { dead: false };
  let die: (() => void) | undefined;
  const death = new Promise<true>((resolve) => {
    die = () => {
      worker.dead = true;
      resolve(true);
    };
  });
  const tokenizer = new CharTokenizer();
  tokenizer.before = async (texts) => {
    // Long enough that other jobs are on their way through the tokenizer as well.
    await turn();
    if (!worker.dead && !texts.includes(POISON)) return;
    die?.();
    await NEVER_AGAIN;
  };
  const processor = new JobProcessor({
    model: { name: "m", activation: "sigmoid" },
    highestMaxLength: 512,
    tokenizer,
    template: { prefix: [1], middle: [2], suffix: [2], segmentTypeIds: true, padId: 0 },
    scorer: new FunctionScorer(),
    results: new MortalResultStore(new MemoryResultStore(redis), worker),
    payloads: new MemoryPayloadStore(redis),
    payloadBytes: new Permits(1_000_000),
    limits: DEFAULT_LIMITS,
  });
  const never = new AbortController().signal;
  const open = jobs.filter(({ jobId }) => !redis.ends.has(jobId));
  const done = Promise.allSettled(open.map(async (job) => await processor.process(job, never)));
  return await Promise.race([death, done.then(() => false)]);
}

describe("a job whose text kills the worker that tokenises it", () => {
  it("ends after three deaths that it alone is charged with, and the jobs beside it are never charged", async () => {
    // It survives its clients.
    const redis = new MemoryJobs();
    const bystanders = Array.from({ length: BYSTANDERS }, (_, at) =>
      takenJob(`b${at}`, `text ${at}`),
    );
    const jobs = [...bystanders.slice(0, 32), takenJob(POISON, POISON), ...bystanders.slice(32)];
    for (const { jobId } of jobs) redis.want(jobId, "someone");
    let deaths = 0;
    for (let workers = 0; workers < MOST_WORKERS && (await work(redis, jobs)); workers += 1) {
      deaths += 1;
      expect([...redis.accused.keys()].filter((jobId) => jobId !== POISON)).toEqual([]);
    }
    // The first attempt at a job is not counted.
    expect(deaths).toBe(4);
    expect(redis.ends.get(POISON)).toMatchObject({
      status: "failed",
      code: "job_killed_worker",
      message: expect.stringContaining("died 3 times") as string,
    });
    for (const { jobId } of bystanders) expect(redis.ends.get(jobId)?.status).toBe("done");
  });

  it("ends so too if the text stands in a later part of the job, behind parts that work", async () => {
    const redis = new MemoryJobs();
    const job = takenJob(POISON, ...Array.from({ length: PART_DOCUMENTS }, () => FULL), POISON);
    redis.want(POISON, "someone");
    let deaths = 0;
    while (deaths < MOST_WORKERS && (await work(redis, [job]))) deaths += 1;
    expect(deaths).toBe(4);
    expect(redis.ends.get(POISON)).toMatchObject({ code: "job_killed_worker" });
  });

  it("is not charged with an attempt that failed while its worker lived", async () => {
    const redis = new MemoryJobs();
    redis.want("a", "someone");
    redis.setAttempts("a", 5);
    const accused: number[] = [];
    const tokenizer = new CharTokenizer();
    tokenizer.before = () => {
      accused.push(redis.accused.get("a")?.get(tokenisedPart(0)) ?? 0);
      throw new RankmillError("internal", "the thread died");
    };
    const processor = new JobProcessor({
      model: { name: "m", activation: "sigmoid" },
      highestMaxLength: 512,
      tokenizer,
      template: { prefix: [1], middle: [2], suffix: [2], segmentTypeIds: true, padId: 0 },
      scorer: new FunctionScorer(),
      results: new MemoryResultStore(redis),
      payloads: new MemoryPayloadStore(redis),
      payloadBytes: new Permits(1_000_000),
      limits: DEFAULT_LIMITS,
    });
    const attempt = processor.process(takenJob("a", "x"), new AbortController().signal);
    await expect(attempt).rejects.toThrow("the thread died");
    expect(accused).toEqual([1]);
    expect(redis.accused.size).toBe(0);
  });
});

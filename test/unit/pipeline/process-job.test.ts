import { beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, type WireRanking } from "../../../src/core/contract.js";
import { RankmillError } from "../../../src/core/errors.js";
import type { JobEnvelope } from "../../../src/core/job.js";
import type { PairTemplate } from "../../../src/core/pair-assembly.js";
import { Permits } from "../../../src/platform/permits.js";
import { CharTokenizer } from "../../support/fakes/tokenizers.js";
import { FunctionScorer } from "../../support/fakes/function-scorer.js";
import { MemoryJobs } from "../../support/fakes/memory-jobs.js";
import { MemoryPayloadStore } from "../../support/fakes/memory-payload-store.js";
import { MemoryResultStore } from "../../support/fakes/memory-result-store.js";
import type { ObserveWork, WorkEvent } from "../../../src/core/work-events.js";
import type { TakenJob } from "../../../src/core/job.js";
import { JobProcessor } from "../../../src/pipeline/process-job.js";
import { envelopeSchema } from "../../../src/core/job-envelope.js";

const TEMPLATE: PairTemplate = {
  prefix: [1],
  middle: [2],
  suffix: [3],
  padId: 0,
  segmentTypeIds: true,
};

const never = new AbortController().signal;

let jobs: MemoryJobs;
let results: MemoryResultStore;
let tokenizer: CharTokenizer;
/** Longer is better. */
let scorer: FunctionScorer;
let permits: Permits;

beforeEach(() => {
  jobs = new MemoryJobs();
  for (const jobId of ["r1", "r2"]) jobs.want(jobId, "someone");
  results = new MemoryResultStore(jobs);
  tokenizer = new CharTokenizer();
  scorer = new FunctionScorer(({ ids }) => ({ status: "scored", logit: ids.length }));
  permits = new Permits(1_000);
});

function processor(observe?: ObserveWork): JobProcessor {
  return new JobProcessor({
    model: { name: "m", activation: "identity" },
    highestMaxLength: 512,
    tokenizer,
    template: TEMPLATE,
    scorer,
    results,
    payloads: new MemoryPayloadStore(jobs),
    payloadBytes: permits,
    limits: DEFAULT_LIMITS,
    observe,
  });
}

function taken(request: unknown, rest: Partial<TakenJob & JobEnvelope> = {}): TakenJob {
  const text = typeof request === "string" ? request : JSON.stringify(request);
  const { lastAttempt = false, options = { maxLength: 64, truncation: "only-second" } } = rest;
  return {
    jobId: "r1",
    priority: "bulk",
    lastAttempt,
    envelope: { v: 1, options, bytes: text.length, pairs: 1, ttlSeconds: 60, request: text },
  };
}

const REQUEST = { id: "a", query: "qq", documents: ["d", "ddd", "dd"] };

function lineOf(jobId: string): WireRanking {
  const record = jobs.ends.get(jobId);
  if (record?.status !== "done") throw new Error(`not done: ${JSON.stringify(record)}`);
  return JSON.parse(record.line) as WireRanking;
}

describe("a job", () => {
  it("is scored and its ranking written before the summary is returned", async () => {
    const summary = await processor().process(taken(REQUEST), never);
    const ranking = lineOf("r1");
    expect(ranking.results.map(({ index }) => index)).toEqual([1, 2, 0]);
    expect(ranking).toMatchObject({ id: "a", model: "m", usage: { pairs: 3, truncated: 0 } });
    expect(summary).toEqual({ ...ranking.usage, failedPairs: 0 });
    expect(permits.held).toBe(0);
  });

  it("has its query encoded once, and its documents in slices", async () => {
    const documents = Array.from({ length: 130 }, (_, i) => "d".repeat(1 + (i % 3)));
    await processor().process(taken({ ...REQUEST, documents }), never);
    expect(tokenizer.calls.map((call) => call.length)).toEqual([1, 64, 64, 2]);
    expect(tokenizer.calls[0]).toEqual(["qq"]);
    expect(lineOf("r1").results).toHaveLength(130);
  });

  it("is ranked without a model if it has no documents", async () => {
    await processor().process(taken({ ...REQUEST, documents: [] }), never);
    expect(lineOf("r1").results).toEqual([]);
    expect(tokenizer.calls).toEqual([]);
  });

  it("says how long its work took if a client waits for the answer, and only then", async () => {
    await processor().process(taken(REQUEST), never);
    expect(lineOf("r1")).not.toHaveProperty("times");
    const job = taken({ ...REQUEST, id: "b" });
    const envelope = { ...envelopeSchema.parse(job.envelope), requestId: "request-1" };
    jobs.owners.set("r2", new Set(["me"]));
    await processor().process({ ...job, jobId: "r2", envelope }, never);
    const { times } = lineOf("r2");
    expect(times?.tokenization_ms).toBeGreaterThanOrEqual(0);
    expect(times?.inference_ms).toBeGreaterThanOrEqual(0);
  });

  it("is read from the payload store if it does not travel in the envelope", async () => {
    const job = taken(REQUEST);
    const { request = "", ...envelope } = envelopeSchema.parse(job.envelope);
    jobs.payloads.set("r1", request);
    await processor().process({ ...job, envelope }, never);
    expect(lineOf("r1").results).toHaveLength(3);
  });

  it("is not scored again if it ended before", async () => {
    await processor().process(taken(REQUEST), never);
    const before = jobs.ends.get("r1");
    expect(await processor().process(taken(REQUEST), never)).toMatchObject({ tokens: 0 });
    expect(scorer.asked).toEqual([3]);
    expect(jobs.ends.get("r1")).toBe(before);
  });

  it("is not scored, and leaves no record, if nobody waits for it", async () => {
    jobs.owners.clear();
    await expect(processor().process(taken(REQUEST), never)).rejects.toMatchObject({
      code: "unwanted",
    });
    expect(scorer.asked).toEqual([]);
    expect(jobs.ends.size).toBe(0);
  });

  it("fails by name if it has an instruction and its model takes none", async () => {
    const options = { maxLength: 64, truncation: "only-second", instruction: "find" } as const;
    const job = taken(REQUEST, { options });
    await expect(processor().process(job, never)).rejects.toMatchObject({ field: "instruction" });
    expect(jobs.ends.get("r1")).toMatchObject({ status: "failed", code: "invalid_field" });
    expect(scorer.asked).toEqual([]);
  });

  it("is left to a newer attempt that holds it", async () => {
    scorer.before = async () => void (await results.begin("r1"));
    const events: WorkEvent[] = [];
    await processor((event) => events.push(event)).process(taken(REQUEST), never);
    expect(jobs.ends.size).toBe(0);
    expect(events.map(({ type }) => type)).toEqual(["tokenized", "commit-refused"]);
  });
});

describe("a job that fails", () => {
  it.each([
    ["not json", "invalid_json"],
    [{ id: "a", query: "" }, "invalid_field"],
    [{ ...REQUEST, query: "q".repeat(40_000) }, "limit_exceeded"],
  ])("is recorded at the first attempt if it fails for good: %j", async (request, code) => {
    await expect(processor().process(taken(request), never)).rejects.toMatchObject({ code });
    expect(jobs.ends.get("r1")).toMatchObject({ status: "failed", code });
    expect(permits.held).toBe(0);
  });

  it("names field, limit and value if it asks for more than the model reads", async () => {
    const options = { maxLength: 1_000, truncation: "only-second" } as const;
    await expect(processor().process(taken(REQUEST, { options }), never)).rejects.toMatchObject({
      code: "limit_exceeded",
      field: "maxLength",
      message: expect.stringMatching(/1000 tokens.*512/),
    });
  });

  it("is recorded if the queue holds no job of ours", async () => {
    const envelope = { v: 2, options: {} };
    await expect(processor().process({ ...taken(REQUEST), envelope }, never)).rejects.toMatchObject(
      { code: "damaged" },
    );
    expect(jobs.ends.get("r1")).toMatchObject({ status: "failed", code: "damaged" });
  });

  it("is recorded if its payload is gone", async () => {
    const job = taken(REQUEST);
    const { request: _gone, ...envelope } = envelopeSchema.parse(job.envelope);
    await expect(processor().process({ ...job, envelope }, never)).rejects.toMatchObject({
      code: "payload_missing",
    });
    expect(jobs.ends.get("r1")).toMatchObject({ code: "payload_missing" });
  });

  it("is recorded only if no other attempt will follow", async () => {
    scorer.before = () => {
      throw new RankmillError("lane_failed", "all lanes are gone");
    };
    const worker = processor();
    const attempt = (lastAttempt: boolean): Promise<unknown> =>
      worker.process(taken(REQUEST, { lastAttempt }), never);
    await expect(attempt(false)).rejects.toMatchObject({ code: "lane_failed" });
    expect(jobs.ends.size).toBe(0);
    await expect(attempt(true)).rejects.toMatchObject({ code: "lane_failed" });
    expect(jobs.ends.get("r1")).toEqual({
      status: "failed",
      code: "lane_failed",
      message: "all lanes are gone",
    });
  });

  it("leaves no record if it was cancelled, whatever else went wrong", async () => {
    const controller = new AbortController();
    scorer.before = () => {
      controller.abort();
      throw new Error("anything");
    };
    const processing = processor().process(
      taken(REQUEST, { lastAttempt: true }),
      controller.signal,
    );
    await expect(processing).rejects.toMatchObject({ code: "cancelled" });
    expect(jobs.ends.size).toBe(0);
    expect(permits.held).toBe(0);
  });

  it("is not ranked if the cancellation came with the last score", async () => {
    const controller = new AbortController();
    scorer.after = () => controller.abort();
    const processing = processor().process(taken(REQUEST), controller.signal);
    await expect(processing).rejects.toMatchObject({ code: "cancelled" });
    expect(jobs.ends.size).toBe(0);
  });
});

describe("a job whose workers keep vanishing", () => {
  it("has its pairs scored one at a time, and names the pair that was in hand each time", async () => {
    jobs.setAttempts("r1", 4);
    for (let times = 0; times < 3; times += 1) await results.accuse("r1", 1);
    const summary = await processor().process(taken(REQUEST), never);
    expect(scorer.asked).toEqual([1, 1]);
    const ranking = lineOf("r1");
    expect(ranking.results.map(({ index }) => index)).toEqual([2, 0]);
    expect(ranking.errors).toEqual([
      expect.objectContaining({
        index: 1,
        code: "pair_killed_lane",
        message: expect.stringContaining("vanished 3 times"),
      }),
    ]);
    expect(summary.failedPairs).toBe(1);
    // The others were accused while they ran, and absolved.
    expect([...(jobs.accused.get("r1")?.keys() ?? [])]).toEqual([1]);
  });

  it("leaves the pair in hand accused if its worker vanishes again", async () => {
    jobs.setAttempts("r1", 7);
    scorer.before = () => {
      throw new RankmillError("lane_failed", "as if killed");
    };
    await expect(processor().process(taken(REQUEST), never)).rejects.toThrow("as if killed");
    expect(jobs.accused.get("r1")).toEqual(new Map([[0, 1]]));
  });
});

describe("requests held at once", () => {
  it("are bounded in bytes over all jobs", async () => {
    permits = new Permits(JSON.stringify(REQUEST).length);
    const gates: (() => void)[] = [];
    scorer.before = () => new Promise((resolve) => void gates.push(resolve));
    const both = processor();
    const first = both.process(taken(REQUEST), never);
    const second = both.process({ ...taken(REQUEST), jobId: "r2" }, never);
    await new Promise((resolve) => setImmediate(resolve));
    expect([gates.length, permits.waiting]).toEqual([1, 1]);
    gates[0]?.();
    await first;
    await new Promise((resolve) => setImmediate(resolve));
    gates[1]?.();
    await second;
    expect(permits.held).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import { parseEnvelope } from "../../../src/core/job-envelope.js";
import { makeJob } from "../../../src/redis/make-job.js";

const REQUEST = { id: "a", query: "q", documents: [{ text: "d" }] };
const OPTIONS = { maxLength: 128, truncation: "only-second" } as const;
const BULK = { priority: "bulk" } as const;

describe("the job of a request", () => {
  it("has one id for one request under the same options, and another under others", () => {
    const { jobId } = makeJob(REQUEST, OPTIONS, BULK);
    expect(jobId).toMatch(/^r[0-9a-f]{40}$/);
    expect(makeJob(REQUEST, OPTIONS, BULK).jobId).toBe(jobId);
    expect(makeJob({ ...REQUEST, id: "b" }, OPTIONS, BULK).jobId).not.toBe(jobId);
    expect(makeJob(REQUEST, { ...OPTIONS, maxLength: 64 }, BULK).jobId).not.toBe(jobId);
  });

  it("is another with an instruction, and one that workers without instructions refuse", () => {
    const plain = makeJob(REQUEST, OPTIONS, BULK);
    const told = makeJob(REQUEST, { ...OPTIONS, instruction: "find the mill" }, BULK);
    expect(told.jobId).not.toBe(plain.jobId);
    // Workers that check the envelope, and know no instruction, take v 1 alone.
    expect([plain.envelope.v, told.envelope.v]).toEqual([1, 2]);
    expect(parseEnvelope(told.envelope)?.options.instruction).toBe("find the mill");
  });

  it("carries a small request, and has a large one beside it", () => {
    const small = makeJob(REQUEST, OPTIONS, BULK);
    expect(small.envelope.request).toContain('"q"');
    expect(small.payload).toBeUndefined();
    const documents = [{ text: "x".repeat(40_000) }];
    const large = makeJob({ ...REQUEST, documents }, OPTIONS, BULK);
    expect(large.envelope.request).toBeUndefined();
    expect(large.payload).toHaveLength(large.envelope.bytes);
  });

  it("is not made if Redis could not keep its result for so long", () => {
    for (const ttlSeconds of [0, -1, 1.5, Number.NaN, 1e12]) {
      const make = (): unknown => makeJob(REQUEST, OPTIONS, { ...BULK, ttlSeconds });
      expect(make).toThrow("resultTtlSeconds");
    }
  });
});

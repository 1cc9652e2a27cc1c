import { describe, expect, it } from "vitest";
import { makeJob } from "../../../src/redis/make-job.js";
import { reconcile } from "../../../src/runs/reconcile.js";
import { MemoryQueue, MemoryResults } from "./memory-queue.js";

function jobOf(id: string): ReturnType<typeof makeJob> {
  const request = { id, query: "q", documents: [] };
  return makeJob(request, { maxLength: 8, truncation: "only-second" }, { priority: "bulk" });
}

describe("what has become of a job", () => {
  it("is that it ended, is under way, or is lost", async () => {
    const results = new MemoryResults();
    const queue = new MemoryQueue(results);
    const jobs = ["ended", "waiting", "lost"].map(jobOf);
    await queue.enqueue(jobs, "one");
    const [ended] = queue.end(1);
    const lost = jobs[2]?.jobId ?? "";
    queue.queued.delete(lost);
    const ids = jobs.map(({ jobId }) => jobId);
    expect(await reconcile(ids, queue, results)).toEqual([
      { status: "ended", record: results.records.get(ended ?? "") },
      { status: "under-way" },
      { status: "lost" },
    ]);
  });

  it("is that it ended where it ends between the two looks", async () => {
    const results = new MemoryResults();
    const queue = new MemoryQueue(results);
    const job = jobOf("a");
    await queue.enqueue([job], "one");
    const { read } = { read: results.read.bind(results) };
    results.read = async (jobIds) => {
      // The worker writes its record before the job leaves the queue; both happen now.
      queue.end(1);
      return await read(jobIds);
    };
    expect(await reconcile([job.jobId], queue, results)).toMatchObject([{ status: "ended" }]);
  });
});

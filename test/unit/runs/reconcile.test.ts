import { describe, expect, it } from "vitest";
import { makeJob } from "../../../src/redis/make-job.js";
import { reconcile } from "../../../src/runs/reconcile.js";
import { MemoryJobQueue } from "../../support/fakes/memory-job-queue.js";
import { MemoryResultStore } from "../../support/fakes/memory-result-store.js";

function jobOf(id: string): ReturnType<typeof makeJob> {
  const request = { id, query: "q", documents: [] };
  return makeJob(request, { maxLength: 8, truncation: "only-second" }, { priority: "bulk" });
}

describe("the state of a job", () => {
  it("is ended, under way, or lost", async () => {
    const queue = new MemoryJobQueue();
    const results = new MemoryResultStore(queue.jobs);
    const jobs = ["ended", "waiting", "lost"].map(jobOf);
    await queue.enqueue(jobs, "one");
    const [ended] = queue.end(1);
    const lost = jobs[2]?.jobId ?? "";
    queue.jobs.queued.delete(lost);
    const ids = jobs.map(({ jobId }) => jobId);
    expect(await reconcile(ids, queue, results)).toEqual([
      { status: "ended", record: queue.jobs.ends.get(ended ?? "") },
      { status: "under-way" },
      { status: "lost" },
    ]);
  });

  it("is ended if the job ends between the two questions", async () => {
    const queue = new MemoryJobQueue();
    const results = new MemoryResultStore(queue.jobs);
    const job = jobOf("a");
    await queue.enqueue([job], "one");
    // The worker writes its record before the job leaves the queue; both happen now.
    results.onRead = () => void queue.end(1);
    expect(await reconcile([job.jobId], queue, results)).toMatchObject([{ status: "ended" }]);
  });
});

/** The rules of every job queue. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JobEnd } from "../../src/core/job.js";
import type { QueueState } from "../../src/core/ports/job-queue.js";
import { until } from "../support/until.js";
import {
  fenceOf,
  idsOf,
  jobOf,
  TTL_SECONDS,
  type JobPlace,
  type MakeJobPlace,
} from "./job-place.js";

const DONE: JobEnd = { status: "done", line: "{}" };
/** More than an implementation handles in one go. */
const MANY_JOBS = 260;

export function testJobQueue(name: string, make: MakeJobPlace): void {
  describe(`the job queue ${name}`, () => {
    let place: JobPlace;

    beforeEach(async () => {
      place = await make();
    });

    afterEach(async () => {
      await place.close();
    });

    /** Ends a job as a worker does. */
    async function end(jobId: string): Promise<void> {
      const fence = fenceOf(await place.results.begin(jobId));
      await place.results.commit(jobId, fence, DONE, TTL_SECONDS);
    }

    async function resultOf(jobId: string): Promise<JobEnd | undefined> {
      const [found] = await place.results.read([jobId]);
      return found;
    }

    async function stateOf(jobId: string): Promise<QueueState | undefined> {
      const [state] = await place.queue.states([jobId]);
      return state;
    }

    it("queues a job once, lets others join it while it is under way, and knows when it is done", async () => {
      const { queue } = place;
      const [a, b] = [jobOf("a"), jobOf("b")];
      expect(await queue.enqueue([a, b], "one")).toEqual(["queued", "queued"]);
      expect(await queue.enqueue([a], "two")).toEqual(["joined"]);
      await end(a.jobId);
      expect(await queue.enqueue([b, a], "three")).toEqual(["joined", "done"]);
    });

    it("tells the state of each job in the order asked for, however many there are", async () => {
      const jobs = Array.from({ length: MANY_JOBS }, (_, i) => jobOf(`many-${i}`));
      const outcomes = await place.queue.enqueue(jobs, "one");
      expect(outcomes).toEqual(jobs.map(() => "queued"));
      const asked = [...idsOf(jobs), "none"];
      const states = await place.queue.states(asked.toReversed());
      expect(states).toEqual(["missing", ...jobs.map(() => "queued")]);
      expect(await place.queue.states([])).toEqual([]);
    });

    it("tells which jobs workers hold, and has those no more that have ended", async () => {
      const { queue } = place;
      const jobs = [jobOf("a"), jobOf("b")];
      await queue.enqueue(jobs, "one");
      expect(await queue.activeIds()).toEqual(new Set());
      const workers = await place.work();
      await until("both are held", async () => (await queue.activeIds()).size === 2);
      expect(await queue.activeIds()).toEqual(new Set(idsOf(jobs)));
      workers.end(2);
      await until("both have left", async () => (await queue.activeIds()).size === 0);
      expect(await queue.states(idsOf(jobs))).toEqual(["missing", "missing"]);
      expect(await queue.enqueue(jobs, "two")).toEqual(["done", "done"]);
    });

    it("tries a job anew that failed for good, and forgets the failure", async () => {
      const { queue } = place;
      const job = jobOf("a", { fails: true });
      await queue.enqueue([job], "one");
      const workers = await place.work();
      workers.end(1);
      await until("it has failed", async () => {
        workers.end(0);
        return (await stateOf(job.jobId)) === "failed";
      });
      expect(await resultOf(job.jobId)).toMatchObject({ status: "failed" });
      expect(await queue.enqueue([job], "one")).toEqual(["queued"]);
      expect(await resultOf(job.jobId)).toBeUndefined();
      expect(await stateOf(job.jobId)).toBe("queued");
    });

    it("lets the last owner to go take the result along, and no one before", async () => {
      const { queue } = place;
      const { jobId } = jobOf("a");
      await queue.enqueue([jobOf("a")], "one");
      await queue.enqueue([jobOf("a")], "two");
      await end(jobId);
      await queue.release([jobId], "one");
      await queue.release([jobId], "a stranger");
      expect(await resultOf(jobId)).toEqual(DONE);
      await queue.release([jobId], "two");
      expect(await resultOf(jobId)).toBeUndefined();
    });

    it("tells owners apart whose names hold line breaks, as an output's path may", async () => {
      const { queue } = place;
      const job = jobOf("a");
      const [whole, line] = ["output:host:/data/two\nlines", "lines"];
      await queue.enqueue([job], whole);
      await end(job.jobId);
      await queue.release([job.jobId], line);
      expect(await resultOf(job.jobId)).toEqual(DONE);
      await queue.enqueue([job], line);
      await queue.release([job.jobId], whole);
      expect(await resultOf(job.jobId)).toEqual(DONE);
      await queue.release([job.jobId], line);
      expect(await resultOf(job.jobId)).toBeUndefined();
    });

    it("takes a job out when its last owner cancels, and leaves it to others before", async () => {
      const { queue } = place;
      const job = jobOf("a");
      await queue.enqueue([job], "one");
      await queue.enqueue([job], "two");
      await queue.cancel([job.jobId], "one");
      expect(await stateOf(job.jobId)).toBe("queued");
      await queue.cancel([job.jobId], "two");
      expect(await stateOf(job.jobId)).toBe("missing");
    });

    it("shuts out an attempt at a job that was cancelled meanwhile, also when it is enqueued again", async () => {
      const { queue, results } = place;
      const job = jobOf("a");
      await queue.enqueue([job], "one");
      const fence = fenceOf(await results.begin(job.jobId));
      await queue.cancel([job.jobId], "one");
      expect(await results.commit(job.jobId, fence, DONE, TTL_SECONDS)).toBe(false);
      expect(await queue.enqueue([job], "two")).toEqual(["queued"]);
      expect(fenceOf(await results.begin(job.jobId))).toBeGreaterThan(fence);
      expect(await results.commit(job.jobId, fence, DONE, TTL_SECONDS)).toBe(false);
    });

    it("stops a job that a worker holds when its last owner cancels", async () => {
      const { queue } = place;
      const jobs = [jobOf("a"), jobOf("b")];
      await queue.enqueue(jobs, "one");
      await place.work();
      await until("both are held", async () => (await queue.activeIds()).size === 2);
      await queue.cancel([jobOf("a").jobId], "one");
      await until("it has left", async () => (await stateOf(jobOf("a").jobId)) === "missing");
      expect(await stateOf(jobOf("b").jobId)).toBe("queued");
    });

    it("queues a job anew that is wanted again before its worker has let go of it", async () => {
      const { queue } = place;
      const job = jobOf("a");
      await queue.enqueue([job], "one");
      const workers = await place.work();
      await until("it is held", async () => (await queue.activeIds()).size === 1);
      // Its result is there before the worker tells the queue, and is taken at once.
      await end(job.jobId);
      await queue.release([job.jobId], "one");
      const again = queue.enqueue([job], "two");
      workers.end(1);
      expect(await again).toEqual(["queued"]);
      await until("it is ranked", async () => {
        workers.end(1);
        return (await resultOf(job.jobId)) !== undefined;
      });
    });

    it("keeps a job that is wanted again while another owner cancels it", async () => {
      const { queue } = place;
      const job = jobOf("a");
      for (let round = 0; round < 20; round += 1) {
        await queue.enqueue([job], `one ${round}`);
        await Promise.all([
          queue.cancel([job.jobId], `one ${round}`),
          queue.enqueue([job], `two ${round}`),
        ]);
        expect(await stateOf(job.jobId)).toBe("queued");
        await queue.cancel([job.jobId], `two ${round}`);
        expect(await stateOf(job.jobId)).toBe("missing");
      }
    });

    it("lets no worker begin what only a blocked owner waits for, until the owner is unblocked", async () => {
      const { queue, results } = place;
      const [a, b] = [jobOf("a"), jobOf("b")];
      await queue.enqueue([a, b], "one");
      await queue.enqueue([b], "two");
      await queue.blockOwner("one");
      // The other one is wanted, and both are asked for in one go.
      const [unwanted, wanted] = await Promise.all([
        results.begin(a.jobId),
        results.begin(b.jobId),
      ]);
      expect([unwanted.status, wanted.status]).toEqual(["unwanted", "begun"]);
      await queue.unblockOwner("one");
      expect(await results.begin(a.jobId)).toMatchObject({ status: "begun", attempts: 1 });
    });

    it("stops the jobs of a blocked owner that workers hold, at once", async () => {
      const { queue } = place;
      const [a, b] = [jobOf("a"), jobOf("b")];
      await queue.enqueue([a, b], "one");
      await queue.enqueue([b], "two");
      await place.work();
      await until("both are held", async () => (await queue.activeIds()).size === 2);
      await queue.blockOwner("one");
      await until("it has left", async () => (await stateOf(a.jobId)) === "missing");
      expect(await queue.activeIds()).toEqual(new Set([b.jobId]));
    });

    it("takes all jobs out at once that nobody waits for, and leaves the others", async () => {
      const { queue } = place;
      const jobs = Array.from({ length: MANY_JOBS }, (_, i) => jobOf(`many-${i}`));
      await queue.enqueue(jobs, "one");
      const wanted = jobs.filter((_, i) => i % 100 === 0);
      await queue.enqueue(wanted, "two");
      await queue.release(idsOf(jobs), "one");
      await queue.dropUnwanted();
      const states = await queue.states(idsOf(jobs));
      const left = idsOf(jobs).filter((_, i) => states[i] !== "missing");
      expect(left).toEqual(idsOf(wanted));
    });
  });
}

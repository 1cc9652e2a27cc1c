/** The rules of every result store. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JobEnd } from "../../src/core/job.js";
import { tokenisedPart } from "../../src/core/ports/result-store.js";
import { until } from "../support/until.js";
import { fenceOf, jobOf, TTL_SECONDS, type JobPlace, type MakeJobPlace } from "./job-place.js";

const DONE: JobEnd = { status: "done", line: '{"id":"é \\ud800","results":[]}' };
const FAILED: JobEnd = { status: "failed", code: "limit_exceeded", message: "too much: 9 > 5" };

export function testResultStore(name: string, make: MakeJobPlace): void {
  describe(`the result store ${name}`, () => {
    let place: JobPlace;
    let store: JobPlace["results"];
    /** Ids of jobs that somebody waits for. */
    let [a, b] = ["", ""];

    beforeEach(async () => {
      place = await make();
      store = place.results;
      const jobs = [jobOf("a"), jobOf("b")] as const;
      [a, b] = [jobs[0].jobId, jobs[1].jobId];
      await place.queue.enqueue(jobs, "someone");
    });

    afterEach(async () => {
      await place.close();
    });

    it("gives back what was committed, in the order asked for", async () => {
      for (const [jobId, end] of [
        [a, DONE],
        [b, FAILED],
      ] as const) {
        const fence = fenceOf(await store.begin(jobId));
        expect(await store.commit(jobId, fence, end, TTL_SECONDS)).toBe(true);
      }
      expect(await store.read([b, "none", a])).toEqual([FAILED, undefined, DONE]);
      expect(await store.read([])).toEqual([]);
    });

    it("draws a larger fence for every attempt, and counts those at one job", async () => {
      const started = [await store.begin(a), await store.begin(b), await store.begin(a)];
      expect(started).toMatchObject([{ attempts: 1 }, { attempts: 1 }, { attempts: 2 }]);
      const fences = started.map(fenceOf);
      expect(fences).toEqual([...new Set(fences)].sort((x, y) => x - y));
    });

    it("lets no attempt write after a newer one has begun", async () => {
      const old = fenceOf(await store.begin(a));
      const fresh = fenceOf(await store.begin(a));
      expect(await store.commit(a, old, FAILED, TTL_SECONDS)).toBe(false);
      expect(await store.read([a])).toEqual([undefined]);
      expect(await store.commit(a, fresh, DONE, TTL_SECONDS)).toBe(true);
      expect(await store.commit(a, old, FAILED, TTL_SECONDS)).toBe(false);
      expect(await store.read([a])).toEqual([DONE]);
    });

    it("lets nobody write who never began", async () => {
      expect(await store.commit(a, 1, DONE, TTL_SECONDS)).toBe(false);
      expect(await store.read([a])).toEqual([undefined]);
    });

    it("begins nothing that has ended, and says how it ended", async () => {
      const fence = fenceOf(await store.begin(a));
      await store.commit(a, fence, DONE, TTL_SECONDS);
      expect(await store.begin(a)).toEqual({ status: "ended", record: DONE });
      // Writing again under the same fence changes nothing for anyone.
      expect(await store.commit(a, fence, DONE, TTL_SECONDS)).toBe(true);
    });

    it("begins nothing that nobody waits for, and counts no attempt at it", async () => {
      await place.queue.release([a], "someone");
      expect(await store.begin(a)).toEqual({ status: "unwanted" });
      expect(await store.begin(b)).toMatchObject({ status: "begun" });
      await place.queue.enqueue([jobOf("a")], "another");
      expect(await store.begin(a)).toMatchObject({ status: "begun", attempts: 1 });
    });

    it("forgets an end when its time is over", async () => {
      await store.commit(a, fenceOf(await store.begin(a)), DONE, 1);
      await until("it is forgotten", async () => (await store.read([a]))[0] === undefined);
      expect(await store.begin(a)).toMatchObject({ status: "unwanted" });
    });

    it("counts accusations of a pair, or of the job itself, until it is absolved", async () => {
      await store.begin(a);
      expect([await store.accuse(a, 3), await store.accuse(a, 3)]).toEqual([1, 2]);
      expect([await store.accuse(a, 4), await store.accuse(a, tokenisedPart(0))]).toEqual([1, 1]);
      expect(await store.accuse(b, 3)).toBe(1);
      await store.absolve(a, 3);
      expect([await store.accuse(a, 3), await store.accuse(a, 4)]).toEqual([1, 2]);
      expect(await store.accuse(a, tokenisedPart(0))).toBe(2);
      // The count of attempts is another matter.
      expect(await store.begin(a)).toMatchObject({ attempts: 2 });
    });
  });
}

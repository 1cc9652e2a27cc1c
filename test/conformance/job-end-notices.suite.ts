/** The rules of all notices of jobs that ended. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JobEnd } from "../../src/core/job.js";
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
const FAILED: JobEnd = { status: "failed", code: "limit_exceeded", message: "too much" };
const JOBS = ["a", "b", "c", "d"].map((id) => jobOf(id));

export function testJobEndNotices(name: string, make: MakeJobPlace): void {
  describe(`the notices of ended jobs ${name}`, () => {
    let place: JobPlace;

    beforeEach(async () => {
      place = await make();
      await place.queue.enqueue(JOBS, "someone");
    });

    afterEach(async () => {
      await place.close();
    });

    async function end(jobId: string | undefined, how: JobEnd): Promise<void> {
      if (jobId === undefined) throw new Error("there is no such job");
      const fence = fenceOf(await place.results.begin(jobId));
      await place.results.commit(jobId, fence, how, TTL_SECONDS);
    }

    it("tell whoever listens of every job that ends, and of none after they stop", async () => {
      const [a, b, c, d] = idsOf(JOBS);
      const heard: string[] = [];
      const stop = await place.notices.onEnded((jobId) => heard.push(jobId));
      await end(a, DONE);
      await end(b, FAILED);
      await until("both are heard", () => heard.length >= 2);
      await stop();
      await end(c, DONE);
      const again: string[] = [];
      const stopAgain = await place.notices.onEnded((jobId) => again.push(jobId));
      await end(d, DONE);
      await until("the other listener hears", () => again.length > 0);
      await stopAgain();
      expect([heard, again]).toEqual([[a, b], [d]]);
    });

    it("tell all who listen, each job by itself, when several end at once", async () => {
      const heard: string[][] = [[], []];
      const stops = [];
      for (const ids of heard) stops.push(await place.notices.onEnded((id) => ids.push(id)));
      await Promise.all(idsOf(JOBS).map(async (jobId) => await end(jobId, DONE)));
      await until("both have heard all", () => heard.every((ids) => ids.length >= JOBS.length));
      for (const ids of heard) expect(ids.sort()).toEqual(idsOf(JOBS).sort());
      for (const stop of stops) await stop();
    });

    it("do not tell of an attempt that was shut out", async () => {
      const [a, b] = idsOf(JOBS);
      const heard: string[] = [];
      const stop = await place.notices.onEnded((jobId) => heard.push(jobId));
      const old = fenceOf(await place.results.begin(a ?? ""));
      await place.results.begin(a ?? "");
      await place.results.commit(a ?? "", old, DONE, TTL_SECONDS);
      await end(b, DONE);
      await until("the other job is heard of", () => heard.length > 0);
      await stop();
      expect(heard).toEqual([b]);
    });
  });
}

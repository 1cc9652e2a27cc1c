/** Jobs that several requests of one process wait for. */
import { beforeEach, expect, it } from "vitest";
import { HeldJobs, type HeldSet } from "../../../src/app/held-jobs.js";
import { MemoryJobQueue } from "../../support/fakes/memory-job-queue.js";

let queue: MemoryJobQueue;
let held: HeldJobs;
let set: HeldSet;

beforeEach(() => {
  queue = new MemoryJobQueue();
  held = new HeldJobs({ graceMs: 600_000, onError: () => {} });
  set = { tag: "t", queue, owner: "o", jobIds: ["a"] };
});

it("the first of two requests that is answered does not let their job go", async () => {
  await Promise.all([held.hold(set), held.hold(set)]);
  held.end(set);
  await held.close();
  expect(queue.released).toEqual([]);
  held.end(set);
  await held.close();
  expect([queue.released, held.size]).toEqual([["a"], 0]);
});

it("a job in its grace stays for who comes again, and is stopped at the end", async () => {
  await held.hold(set);
  held.endAfterGrace(set);
  expect(held.has(set)).toBe(true);
  await held.hold(set);
  held.end(set);
  expect(queue.released).toEqual([]);
  await held.close();
  expect([queue.cancelled, held.size]).toEqual([["a"], 0]);
});

it("who comes while a job is being let go waits until it has gone", async () => {
  const steps: string[] = [];
  queue.onRelease = () => steps.push("released");
  await held.hold(set);
  held.end(set);
  await held.hold(set).then(() => steps.push("held again"));
  expect(steps).toEqual(["released", "held again"]);
});

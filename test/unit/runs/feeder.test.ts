import { once } from "node:events";
import { beforeEach, describe, expect, it } from "vitest";
import type { InputRecord, RecordFailure } from "../../../src/core/record.js";
import { makeJob } from "../../../src/redis/make-job.js";
import { Feeder } from "../../../src/runs/feeder.js";
import {
  DEFAULT_IN_FLIGHT_BOUNDS,
  type InFlightBounds,
} from "../../../src/core/in-flight-bounds.js";
import { MemoryFeedingBoard } from "../../support/fakes/memory-feeding-board.js";
import { MemoryJobQueue, rankingOf } from "../../support/fakes/memory-job-queue.js";
import { MemoryResultStore } from "../../support/fakes/memory-result-store.js";
import { MemorySink } from "../../support/fakes/memory-sink.js";
import { until } from "../../support/until.js";

let results: MemoryResultStore;
let queue: MemoryJobQueue;
let sink: MemorySink;
let board: MemoryFeedingBoard;

beforeEach(() => {
  board = new MemoryFeedingBoard();
  queue = new MemoryJobQueue();
  results = new MemoryResultStore(queue.jobs);
  sink = new MemorySink();
});

function feederOf(window: InFlightBounds = DEFAULT_IN_FLIGHT_BOUNDS): Feeder {
  return new Feeder({
    queue,
    results,
    board,
    sink,
    makeJob: ({ request }) =>
      makeJob(request, { maxLength: 64, truncation: "only-second" }, { priority: "bulk" }),
    owner: "the run",
    inFlight: window,
  });
}

function record(index: number): InputRecord {
  const request = { id: `id-${index}`, query: "q", documents: [{ text: "d" }] };
  return { status: "valid", line: index + 1, request, bytes: 100, ignoredFields: [] };
}

async function* records(count: number): AsyncGenerator<InputRecord> {
  for (let index = 0; index < count; index += 1) yield await Promise.resolve(record(index));
}

function idsUpTo(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `id-${index}`);
}

/** Ends jobs for as long as `running` runs. */
async function workUntil(running: Promise<void>, count = 7): Promise<void> {
  let over = false;
  const watching = running.finally(() => {
    over = true;
  });
  watching.catch(() => undefined);
  await until("the run is over", () => {
    queue.end(count);
    return over;
  });
  await running;
}

const never = new AbortController().signal;

describe("a run", () => {
  it("has every record ranked once, within its bound of jobs in flight", async () => {
    await workUntil(feederOf({ maxJobs: 10, maxBytes: 1_000_000 }).run(records(95), never));
    expect(sink.ids.sort()).toEqual(idsUpTo(95).sort());
    expect(queue.mostJobs).toBeLessThanOrEqual(10);
    expect(queue.enqueued).toHaveLength(95);
    expect(queue.jobs.ends.size).toBe(0);
  });

  it("is bounded in bytes in flight too, and lets in alone what is larger", async () => {
    await workUntil(feederOf({ maxJobs: 1_000, maxBytes: 350 }).run(records(20), never), 1);
    expect(queue.mostJobs).toBeLessThanOrEqual(3);
    queue.mostJobs = 0;
    await workUntil(feederOf({ maxJobs: 1_000, maxBytes: 1 }).run(records(3), never), 1);
    expect(queue.mostJobs).toBe(1);
    expect(sink.ids).toHaveLength(23);
  });

  it("releases a job only when its ranking is on disk", async () => {
    const running = feederOf().run(records(5), never);
    await until("all are queued", () => queue.size === 5);
    let onDisk = 0;
    queue.onRelease = () => {
      onDisk = sink.flushed;
    };
    queue.end(3);
    await until("three are released", () => queue.released.length === 3);
    expect(onDisk).toBe(3);
    await workUntil(running);
    expect(sink.flushed).toBe(5);
  });

  it("takes what was done before without waiting for it", async () => {
    const first = feederOf().run(records(3), never);
    await until("all are queued", () => queue.size === 3);
    // Somebody else waits for them as well.
    for (const jobId of queue.jobs.queued.keys()) queue.jobs.want(jobId, "another");
    await workUntil(first);
    queue.enqueued.length = 0;
    await feederOf().run(records(3), never);
    expect(queue.enqueued).toEqual([]);
    expect(sink.ids).toEqual([...idsUpTo(3), ...idsUpTo(3)]);
  });

  it("reports lines that are no records, and jobs that failed with what they asked", async () => {
    const failure: RecordFailure = { line: 1, code: "invalid_json", reason: "r", input: "{" };
    async function* mixed(): AsyncGenerator<InputRecord> {
      yield await Promise.resolve({ status: "invalid", failure });
      yield record(1);
      yield record(2);
    }
    const running = feederOf().run(mixed(), never);
    await until("both are queued", () => queue.size === 2);
    queue.end(1, () => ({ status: "failed", code: "payload_missing", message: "gone" }));
    await workUntil(running);
    expect(sink.ids).toEqual(["id-2"]);
    expect(sink.failures).toEqual([
      failure,
      {
        line: 2,
        id: "id-1",
        code: "payload_missing",
        reason: "gone",
        input: { id: "id-1", query: "q", documents: ["d"] },
      },
    ]);
  });

  it("sends what it has when the input pauses", async () => {
    const gate = new AbortController();
    async function* slow(): AsyncGenerator<InputRecord> {
      yield record(0);
      await once(gate.signal, "abort");
      yield record(1);
    }
    const running = feederOf().run(slow(), never);
    await until("the first is queued", () => queue.size === 1);
    queue.end(1);
    await until("the first is on disk", () => sink.flushed === 1);
    gate.abort();
    await workUntil(running);
    expect(sink.ids).toEqual(["id-0", "id-1"]);
  });
});

describe("a run among others", () => {
  it("keeps few jobs waiting if workers are slow, and says so on the board while it feeds", async () => {
    queue.workers = 3;
    const running = feederOf().run(records(200), never);
    await until("it stands on the board", () => board.posted.has("the run"));
    // None ends: whatever it sees of them, there is no reason to let more wait than at the start.
    await until("it has looked at them some times", () => board.posts >= 5);
    expect(queue.mostJobs).toBeLessThan(50);
    await workUntil(running);
    expect(sink.ids.sort()).toEqual(idsUpTo(200).sort());
    expect(board.posted.size).toBe(0);
  });

  it("lets more wait as long as workers take all of it at once", async () => {
    queue.workers = 1_000;
    const running = feederOf().run(records(600), never);
    await until("they hold most of the run", () => queue.size > 500);
    await workUntil(running, 50);
    expect(sink.ids).toHaveLength(600);
  });
});

describe("a job that a run waits for", () => {
  it("is found if the notice of its end was lost", async () => {
    const running = feederOf().run(records(4), never);
    await until("all are queued", () => queue.size === 4);
    queue.end(4, rankingOf, false);
    await running;
    expect(sink.ids.sort()).toEqual(idsUpTo(4));
  });

  it("is enqueued again if the queue has lost it", async () => {
    const running = feederOf().run(records(4), never);
    await until("all are queued", () => queue.size === 4);
    const [lost] = queue.jobs.queued.keys();
    queue.jobs.queued.clear();
    await until("they are queued again", () => queue.size === 4);
    expect(queue.enqueued.filter((jobId) => jobId === lost)).toHaveLength(2);
    await workUntil(running);
    expect(sink.ids.sort()).toEqual(idsUpTo(4));
  });
});

describe("a run that is stopped", () => {
  it("keeps what has ended since, and takes the rest out of the queue", async () => {
    const controller = new AbortController();
    const feeder = feederOf({ maxJobs: 10, maxBytes: 1_000_000 });
    const running = feeder.run(records(100), controller.signal);
    await until("the window is full", () => queue.size === 10);
    queue.end(2);
    await until("two are on disk", () => sink.flushed === 2);
    controller.abort();
    await running;
    // The worker's drain goes on, when nobody listens any more.
    const drained = queue.end(3);
    const given = await feeder.abandon();
    expect(sink.flushed).toBe(5);
    expect(queue.released).toEqual(expect.arrayContaining(drained));
    expect(given).toBe(queue.cancelled.length);
    expect(queue.size).toBe(0);
    expect(new Set(sink.ids).size).toBe(5);
  });

  it("fails with its output, and its input", async () => {
    const full = new Error("no space left on device");
    const running = feederOf().run(records(3), never);
    sink.error = full;
    await expect(workUntil(running)).rejects.toBe(full);

    const torn = new Error("torn");
    async function* tearing(): AsyncGenerator<InputRecord> {
      yield await Promise.resolve(record(7));
      throw torn;
    }
    await expect(feederOf().run(tearing(), never)).rejects.toBe(torn);
  });
});

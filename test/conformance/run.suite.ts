/** The rules of every submitted run, wherever it lies. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Run } from "../../src/app/runs/run.js";
import type { Runs } from "../../src/app/runs/runs.js";
import type { GivenRecord } from "../../src/inputs/given-records.js";
import { FAILS, type GatedWorker } from "../support/gated-worker.js";
import { keySpace } from "../support/key-space.js";
import { readFailures, readLines } from "../support/records.js";
import { until } from "../support/until.js";

/** The place of the runs of one test, with the processes that work them off. */
export interface RunPlace {
  readonly runs: Runs;
  readonly redis: Redis;
  readonly worker: GatedWorker;
  /** An empty folder for files of the test's own. */
  readonly folder: string;
  submit(records: readonly GivenRecord[], run?: string): Promise<Run>;
  close(): Promise<void>;
}

function record(id: string, query = "q"): GivenRecord {
  return { id, query, documents: [`document of ${id}`] };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function idsOf(run: Run): Promise<string[]> {
  return (await all(run.rankings())).map(({ id }) => id).sort();
}

const TEN = Array.from({ length: 10 }, (_, i) => record(`r${i}`));
const IDS = TEN.map(({ id }) => id);

/** Runs the suite of a kind of run. */
export function describeRun(kind: Run["place"], open: () => Promise<RunPlace>): void {
  describe(`a run whose place is ${kind}`, () => {
    let place: RunPlace;

    beforeEach(async () => {
      place = await open();
    });

    afterEach(async () => {
      await place.close();
    });

    /** Ends `ended` of a run's jobs and waits until it says so. */
    async function work(run: Run, ended: number): Promise<void> {
      place.worker.letThrough(ended);
      await until(`${ended} more records have ended`, async () => {
        const { counts } = await run.status();
        return counts.done + counts.failed >= ended;
      });
    }

    it("tells how it stands from its submission to its end", async () => {
      const run = await place.submit(TEN);
      expect(run.place).toBe(kind);
      expect(await run.summary()).toMatchObject({ id: run.id, place: kind, total: 10 });
      expect(await run.status()).toMatchObject({ state: "submitted", over: false, total: 10 });
      await until("jobs are in hand", async () => (await run.status()).active > 0);
      await work(run, 3);
      const during = await run.status();
      expect(during.counts.done + during.waiting + during.active).toBe(10);
      place.worker.letThrough(7);
      const seen: number[] = [];
      const over = await run.untilOver({
        pollMs: 10,
        onStatus: ({ counts }) => seen.push(counts.done),
      });
      expect(over).toMatchObject({ state: "complete", over: true, waiting: 0, active: 0 });
      expect(over.counts).toMatchObject({ done: 10, failed: 0, pairs: 10, tokens: 100 });
      expect(seen.at(-1)).toBe(10);
    });

    it("stops waiting for its end after the time that was given, and goes on", async () => {
      const run = await place.submit(TEN);
      await expect(run.untilOver({ timeoutMs: 1 })).rejects.toMatchObject({ code: "timeout" });
      place.worker.letThrough(10);
      expect((await run.untilOver({ pollMs: 10 })).counts.done).toBe(10);
    });

    it("gives what became of each record: ranked, failed, or not over", async () => {
      const run = await place.submit([record("good"), record("bad", FAILS), record("late")]);
      await work(run, 2);
      await until("two are told", async () => {
        const items = await all(run.items());
        return items.filter(({ status }) => status !== "open").length === 2;
      });
      expect(await all(run.items())).toHaveLength(3);
      place.worker.letThrough(1);
      await run.untilOver({ pollMs: 10 });
      expect(await idsOf(run)).toEqual(["good", "late"]);
      const [ranking] = await all(run.rankings());
      expect(ranking).toMatchObject({
        results: [{ index: 0, relevanceScore: 0.5, logit: 0 }],
        usage: { pairs: 1 },
      });
      expect(await all(run.failures())).toEqual([
        {
          line: 2,
          id: "bad",
          code: "limit_exceeded",
          reason: "made to fail",
          input: { id: "bad", query: FAILS, documents: ["document of bad"] },
        },
      ]);
    });

    it("gives each ranking once to those who follow it, though connections break, and ends with it", async () => {
      const run = await place.submit([...TEN, record("bad", FAILS)]);
      const following = run.rankings({ follow: true, pollMs: 10 });
      place.worker.letThrough(4);
      const first = [];
      for (let i = 0; i < 3; i += 1) first.push((await following.next()).value?.id);
      const rest = all(following);
      await place.redis.client("KILL", "TYPE", "normal", "SKIPME", "no").catch(() => {});
      place.worker.letThrough(7);
      const ids = [...first, ...(await rest).map(({ id }) => id)];
      expect([ids.length, new Set(ids)]).toEqual([10, new Set(IDS)]);
      expect(await all(run.rankings({ follow: true }))).toHaveLength(10);
    });

    it("lets those go who follow it, if they say so or it is cancelled", async () => {
      const run = await place.submit(TEN);
      const stopping = new AbortController();
      const stopped = all(run.rankings({ follow: true, pollMs: 10, signal: stopping.signal }));
      const cancelled = all(run.rankings({ follow: true, pollMs: 10 }));
      await work(run, 2);
      stopping.abort(new Error("that is enough"));
      await expect(stopped).rejects.toThrow("that is enough");
      await run.cancel();
      expect((await cancelled).length).toBe((await run.status()).counts.done);
    });

    it("fails records that cannot be jobs, each alone", async () => {
      const run = await place.submit([record("a"), record("a"), { ...record("b"), query: "" }]);
      place.worker.letThrough(3);
      const { counts } = await run.untilOver({ pollMs: 10 });
      const failed = await all(run.failures());
      expect(counts.done + counts.failed).toBe(3);
      expect(failed.map(({ line, code }) => [line, code])).toContainEqual([2, "duplicate_id"]);
    });

    it("is the same run for everybody who opens it, and if it is submitted again", async () => {
      const run = await place.submit(TEN, "mine");
      expect(run.id).toBe("mine");
      place.worker.letThrough(10);
      await run.untilOver({ pollMs: 10 });
      const again = await place.runs.open("mine");
      expect(again.place).toBe(kind);
      expect(await idsOf(again)).toEqual(IDS);
      await place.submit(TEN, "mine");
      expect((await again.untilOver({ pollMs: 10 })).counts.done).toBe(10);
      await expect(place.runs.open("no-such-run")).rejects.toThrow('no run "no-such-run"');
      await expect(place.runs.open("../escape")).rejects.toThrow('run id "../escape"');
    });

    it("keeps what is done when it is cancelled, and goes on when it is tried again", async () => {
      const run = await place.submit(TEN);
      await work(run, 3);
      const done = (await run.status()).counts.done;
      const stopped = await run.cancel();
      expect(stopped).toBe(10 - done);
      const status = await run.status();
      expect(status).toMatchObject({ state: "cancelled", over: true, waiting: 0, active: 0 });
      expect(status.counts).toMatchObject({ done, failedByCode: { cancelled: 10 - done } });
      expect(await idsOf(run)).toHaveLength(done);
      const failures = await all(run.failures());
      expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(["cancelled"]));
      expect(failures).toHaveLength(10 - done);
      await until("nothing is in hand", () => place.worker.held === 0);
      expect(await run.retry()).toBe(10 - done);
      place.worker.letThrough(10);
      expect((await run.untilOver({ pollMs: 10 })).counts).toMatchObject({ done: 10, failed: 0 });
      expect(await idsOf(run)).toEqual(IDS);
    });

    it("keeps the figures of a cancelled run though another run has the same records ranked, and takes these rankings when tried again", async () => {
      const [run, other] = [await place.submit(TEN, "cancelled"), await place.submit(TEN, "other")];
      expect(await run.cancel()).toBe(10);
      place.worker.letThrough(10);
      expect((await other.untilOver({ pollMs: 10 })).counts).toMatchObject({ done: 10 });
      const { counts } = await run.status();
      expect(counts).toMatchObject({ done: 0, failedByCode: { cancelled: 10 } });
      await run.retry();
      place.worker.letThrough(10);
      expect((await run.untilOver({ pollMs: 10 })).counts).toMatchObject({ done: 10, failed: 0 });
    });

    it("tries again what failed and nothing else", async () => {
      const run = await place.submit([record("good"), record("bad", FAILS)]);
      place.worker.letThrough(2);
      expect((await run.untilOver({ pollMs: 10 })).counts).toMatchObject({ done: 1, failed: 1 });
      expect(await run.cancel()).toBe(0);
      place.worker.healed = true;
      expect(await run.retry()).toBe(1);
      place.worker.letThrough(1);
      expect((await run.untilOver({ pollMs: 10 })).counts).toMatchObject({ done: 2, failed: 0 });
      expect(await run.retry()).toBe(0);
      expect(await idsOf(run)).toEqual(["bad", "good"]);
    });

    it("writes its rankings and failures to files, whole", async () => {
      const run = await place.submit([record("good"), record("bad", FAILS), record("late")]);
      await work(run, 2);
      const output = join(place.folder, "out.jsonl");
      await until("one is not over", async () => (await run.writeResults(output)).open === 1);
      place.worker.letThrough(1);
      await run.untilOver({ pollMs: 10 });
      const written = await run.writeResults(output);
      expect(written).toEqual({ ranked: 2, failed: 1, open: 0, over: true });
      expect(readLines(output)).toHaveLength(2);
      expect(readFailures(join(place.folder, "out.failed.jsonl"))).toMatchObject([{ id: "bad" }]);
      const nowhere = join(place.folder, "no", "where.jsonl");
      await expect(run.writeResults(nowhere)).rejects.toThrow("where.jsonl");
      await expect(run.writeResults("-")).rejects.toThrow("stream");
    });

    it("is purged without a trace, under way only by force", async () => {
      const first = await place.submit([record("first")], "first");
      place.worker.letThrough(1);
      await first.untilOver({ pollMs: 10 });
      await first.purge();
      const before = await keySpace(place.redis);
      expect(before.filter((key) => /run[:s]|result|owners|payload|fence:/.test(key))).toEqual([]);
      const run = await place.submit(TEN);
      await work(run, 3);
      await expect(run.purge()).rejects.toThrow("under way");
      await run.purge({ force: true });
      await until("the keys are those from before", async () => {
        return JSON.stringify(await keySpace(place.redis)) === JSON.stringify(before);
      });
      await expect(run.status()).rejects.toThrow("no run");
      expect(existsSync(join(place.folder, "spool", run.id))).toBe(false);
    });

    it("says what it takes of Redis' memory", async () => {
      const run = await place.submit(TEN);
      expect((await run.memoryBytes()) ?? Infinity).toBeGreaterThan(100);
    });

    it("is listed, the newest first, until it is purged", async () => {
      for (const id of ["one", "two", "three"]) {
        await place.submit([record(id)], id);
        await until("the clock goes on", () => {
          return place.runs.store.find(id).then((info) => {
            return info !== undefined && Date.parse(info.createdAt) < Date.now();
          });
        });
      }
      const listed = await all(place.runs.list());
      expect(listed.map(({ id }) => id)).toEqual(["three", "two", "one"]);
      place.worker.letThrough(3);
      const run = await place.runs.open("two");
      await run.untilOver({ pollMs: 10 });
      await run.purge();
      expect((await all(place.runs.list())).map(({ id }) => id)).toEqual(["three", "one"]);
    });
  });
}

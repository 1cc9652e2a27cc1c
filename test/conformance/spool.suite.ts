/** The rules of every spool. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Spool, SpoolOutput } from "../../src/core/ports/spool.js";
import type { InputRecord, RecordFailure } from "../../src/core/record.js";

/** A place that no other test uses. */
export interface SpoolPlace {
  /** Opens it once more: another process' view of the same spool. */
  open(): Promise<Spool>;
  /** Removes what the test left. */
  clean(): Promise<void>;
}

const RUN = "run-1";

function valid(id: string, line: number, text = "d"): InputRecord {
  const request = { id, query: "q", documents: [{ text }] };
  return { status: "valid", line, request, bytes: 10, ignoredFields: [] };
}

function invalid(line: number): InputRecord {
  const failure = { line, code: "invalid_json", reason: "not JSON", input: "{" };
  return { status: "invalid", failure };
}

function failed(line: number, id: string): RecordFailure {
  return { line, id, code: "job_lost", reason: "lost", input: { id } };
}

function ranked(id: string, by = "someone"): string {
  const usage = { pairs: 2, tokens: 10, truncated: 1 };
  return JSON.stringify({ id, model: by, results: [], usage });
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

async function* broken(): AsyncGenerator<InputRecord> {
  for (let line = 1; line <= 50; line += 1) yield await Promise.resolve(valid(`${line}`, line));
  throw new Error("the input broke off");
}

async function store(output: SpoolOutput, lines: readonly string[]): Promise<void> {
  await output.write(lines);
  await output.flush();
}

export function testSpool(name: string, make: () => Promise<SpoolPlace>): void {
  describe(`the spool ${name}`, () => {
    let place: SpoolPlace;
    let spool: Spool;

    async function open(): Promise<Spool> {
      return await place.open();
    }

    beforeEach(async () => {
      place = await make();
      spool = await open();
      await spool.check();
    });

    afterEach(async () => {
      await place.clean();
    });

    it("gives back the records that were put in, less those with a ranking", async () => {
      const records = [valid("a", 1), invalid(2), valid("b", 3, "é\u2028 d"), valid("c", 4)];
      expect(await spool.has(RUN)).toBe(false);
      await spool.put(RUN, from(records));
      expect(await spool.has(RUN)).toBe(true);
      expect(await spool.has("run")).toBe(false);
      expect(await spool.countRecords(RUN)).toBe(4);
      expect(await all((await open()).records(RUN, new Set()))).toEqual(records);
      expect(await all(spool.records(RUN, new Set(["b"])))).toEqual(
        records.filter((_, i) => i !== 2),
      );
    });

    it("keeps the records of a run that is put in twice, and of two who put it in at once", async () => {
      const records = Array.from({ length: 300 }, (_, i) => valid(`id-${i}`, i + 1));
      await Promise.all(
        [spool, await open()].map(async (one) => await one.put(RUN, from(records))),
      );
      await spool.put(RUN, from([valid("other", 1)]));
      expect(await all(spool.records(RUN, new Set()))).toEqual(records);
    });

    it("holds no run whose records broke off", async () => {
      await expect(spool.put(RUN, broken())).rejects.toThrow("broke off");
      expect(await spool.has(RUN)).toBe(false);
    });

    it("takes records of several parts in bounded pieces", async () => {
      const long = "x".repeat(1_000_000);
      const records = Array.from({ length: 20 }, (_, i) => valid(`id-${i}`, i + 1, `${long}${i}`));
      await spool.put(RUN, from(records));
      let count = 0;
      for await (const record of spool.records(RUN, new Set())) {
        expect(record).toEqual(records[count]);
        count += 1;
      }
      expect(count).toBe(20);
    });

    it("shows what is flushed to everybody, and lets the next owner go on from there", async () => {
      await spool.put(RUN, from([valid("a", 1), valid("b", 2), valid("c", 3)]));
      const first = await spool.openOutput(RUN, 7);
      await store(first, [ranked("a")]);
      await store(first, [ranked("b")]);
      expect(first.counts).toMatchObject({ done: 2, pairs: 4, tokens: 20, truncated: 2 });
      const other = await open();
      expect(await all(other.rankings(RUN))).toEqual([ranked("a"), ranked("b")]);

      // The first has not closed, as one that was killed.
      const second = await other.openOutput(RUN, 10);
      expect(second.doneIds).toEqual(new Set(["a", "b"]));
      expect(second.counts).toMatchObject({ done: 2, pairs: 4 });
      await store(second, [ranked("c")]);
      await second.close(true);
      await first.close(false);
      expect((await all(spool.rankings(RUN))).sort()).toEqual(
        ["a", "b", "c"].map((id) => ranked(id)),
      );
    });

    it("gives each record's ranking once, though a frozen owner wakes up and writes too", async () => {
      await spool.put(RUN, from([valid("a", 1), valid("b", 2)]));
      const frozen = await spool.openOutput(RUN, 1);
      const owner = await spool.openOutput(RUN, 2);
      await store(owner, [ranked("a", "owner")]);
      await store(frozen, [ranked("a", "frozen")]);
      expect(await all(spool.rankings(RUN))).toHaveLength(1);
      await store(owner, [ranked("b", "owner")]);
      await frozen.close(false);
      await owner.close(true);
      const ids = (await all(spool.rankings(RUN))).map(
        (line) => (JSON.parse(line) as { id: string }).id,
      );
      expect(ids.sort()).toEqual(["a", "b"]);
    });

    it("gives back what is not over, and its failures", async () => {
      await spool.put(RUN, from([valid("a", 1), invalid(2)]));
      const output = await spool.openOutput(RUN, 3);
      await store(output, [ranked("a")]);
      await output.fail([failed(2, "b")]);
      await output.close(false);
      expect(await all(spool.failures(RUN))).toEqual([failed(2, "b")]);
      const next = await spool.openOutput(RUN, 4);
      expect(next.counts).toMatchObject({ done: 1, failed: 0 });
      await next.fail([failed(2, "b"), failed(3, "c")]);
      expect(next.counts).toMatchObject({ failed: 2, failedByCode: { job_lost: 2 } });
      await next.close(true);
      expect(await all(spool.failures(RUN))).toEqual([failed(2, "b"), failed(3, "c")]);
    });

    it("opens a run that is over again, with its rankings and without its failures", async () => {
      await spool.put(RUN, from([valid("a", 1), valid("b", 2)]));
      const first = await spool.openOutput(RUN, 5);
      await store(first, [ranked("a")]);
      await first.fail([failed(2, "b")]);
      await first.close(true);
      await spool.reopen(RUN);
      expect(await all(spool.failures(RUN))).toEqual([]);
      const second = await spool.openOutput(RUN, 6);
      expect(second.doneIds).toEqual(new Set(["a"]));
      await store(second, [ranked("b")]);
      await second.close(true);
      expect(await all(spool.rankings(RUN))).toEqual([ranked("a"), ranked("b")]);
      expect(await all(spool.failures(RUN))).toEqual([]);
    });

    it("removes a run and no other", async () => {
      await spool.put(RUN, from([valid("a", 1)]));
      await spool.put(`${RUN}0`, from([valid("a", 1)]));
      const output = await spool.openOutput(RUN, 1);
      await store(output, [ranked("a")]);
      await output.close(false);
      await spool.remove(RUN);
      expect(await spool.has(RUN)).toBe(false);
      expect(await all(spool.rankings(RUN))).toEqual([]);
      expect(await spool.has(`${RUN}0`)).toBe(true);
      await spool.remove("never-there");
    });

    it("refuses a run's id that would lead out of it", async () => {
      await expect(spool.has("../escape")).rejects.toThrow('run id "../escape"');
    });
  });
}

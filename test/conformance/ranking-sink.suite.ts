/** The rules of every place that takes a run's rankings and failures. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RankingSink } from "../../src/core/ports/ranking-sink.js";
import type { RecordFailure } from "../../src/core/record.js";

/** A sink under test, and what lies where it writes. */
export interface OpenSink {
  readonly sink: RankingSink;
  /** Lines that a reader finds once the sink is closed. */
  rankings(): Promise<readonly string[]>;
  failures(): Promise<readonly RecordFailure[]>;
  /** Ends the run: its output is whole. */
  close(): Promise<void>;
  /** Removes what the test left. */
  clean(): Promise<void>;
}

function lineOf(id: string, padding = ""): string {
  const usage = { pairs: 2, tokens: 7, truncated: 1 };
  return JSON.stringify({ id, model: `m${padding}`, results: [], usage });
}

function failureOf(line: number, padding = ""): RecordFailure {
  return { line, id: `f${line}`, code: "job_lost", reason: "lost", input: `é\u2028${padding}` };
}

export function testRankingSink(name: string, open: () => Promise<OpenSink>): void {
  describe(`the sink ${name}`, () => {
    let opened: OpenSink;

    beforeEach(async () => {
      opened = await open();
    });

    afterEach(async () => {
      await opened.clean();
    });

    it("holds rankings and failures, each once and whole, and counts them", async () => {
      const { sink } = opened;
      await sink.write([lineOf("a"), lineOf("é\u2028")]);
      await sink.fail([failureOf(1)]);
      await sink.flush();
      await sink.write([lineOf("c")]);
      await sink.flush();
      expect(sink.counts).toMatchObject({ done: 3, pairs: 6, tokens: 21, truncated: 3 });
      expect(sink.counts).toMatchObject({ failed: 1, failedByCode: { job_lost: 1 } });
      await opened.close();
      expect(await opened.rankings()).toEqual([lineOf("a"), lineOf("é\u2028"), lineOf("c")]);
      expect(await opened.failures()).toEqual([failureOf(1)]);
    });

    it("keeps lines apart that come from several sides at once", async () => {
      const { sink } = opened;
      // Large enough to take several writes each.
      const padding = "x".repeat(300_000);
      const numbers = Array.from({ length: 12 }, (_, number) => number);
      await Promise.all(
        numbers.map(async (number) => {
          await (number % 2 === 0
            ? sink.write([lineOf(String(number), padding)])
            : sink.fail([failureOf(number, padding)]));
        }),
      );
      await sink.flush();
      await opened.close();
      const even = numbers.filter((number) => number % 2 === 0);
      expect(await opened.rankings()).toEqual(even.map((number) => lineOf(`${number}`, padding)));
      const odd = numbers.filter((number) => number % 2 === 1);
      expect(await opened.failures()).toEqual(odd.map((number) => failureOf(number, padding)));
      expect(sink.counts).toMatchObject({ done: 6, failed: 6 });
    });

    it("takes nothing at all, and many flushes", async () => {
      const { sink } = opened;
      await sink.write([]);
      await sink.fail([]);
      await Promise.all([sink.flush(), sink.flush()]);
      await opened.close();
      expect(await opened.rankings()).toEqual([]);
      expect(await opened.failures()).toEqual([]);
      expect(sink.counts).toMatchObject({ done: 0, failed: 0 });
    });
  });
}

/** The rules of every source of a run's records. */
import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import type { RecordSource } from "../../src/core/ports/record-source.js";
import type { InputRecord } from "../../src/core/record.js";

/** An input with the records "a", "b" and "c", in this order, and one that is broken after "a". */
export interface SourceExample {
  /** Opens the input, each time from its start. */
  readonly open: () => Promise<RecordSource>;
  /** Changes one text of the input; absent if the input can be read only once. */
  readonly change?: () => void;
}

export function idsOf(records: readonly InputRecord[]): string[] {
  return records.flatMap((one) => (one.status === "valid" ? [one.request.id] : []));
}

export async function recordsOf(
  source: RecordSource,
  doneIds: readonly string[] = [],
): Promise<InputRecord[]> {
  const records: InputRecord[] = [];
  for await (const record of source.read(new Set(doneIds))) records.push(record);
  return records;
}

export function testRecordSource(name: string, make: () => SourceExample): void {
  describe(`the source of records ${name}`, () => {
    const opened: RecordSource[] = [];

    async function open(example: SourceExample): Promise<RecordSource> {
      const source = await example.open();
      opened.push(source);
      return source;
    }

    async function digestOf(example: SourceExample): Promise<string> {
      const hash = createHash("sha256");
      // Nothing is added if the input can be read only once.
      expect(await (await open(example)).addTo(hash)).toBe(example.change !== undefined);
      return hash.digest("hex");
    }

    afterEach(async () => {
      for (const source of opened.splice(0)) {
        await source.close();
        // Safe to call twice.
        await source.close();
      }
    });

    it("gives the records in order, and the broken one in its place", async () => {
      const records = await recordsOf(await open(make()));
      expect(idsOf(records)).toEqual(["a", "b", "c"]);
      expect(records.map(({ status }) => status)).toEqual(["valid", "invalid", "valid", "valid"]);
    });

    it("numbers records and broken ones by their lines, which rise", async () => {
      const records = await recordsOf(await open(make()));
      const lines = records.map((one) => (one.status === "valid" ? one.line : one.failure.line));
      expect(lines).toEqual([1, 2, 3, 4]);
    });

    it("leaves out records that have a ranking, and still reports the broken one", async () => {
      const records = await recordsOf(await open(make()), ["a", "c"]);
      expect(idsOf(records)).toEqual(["b"]);
      expect(records).toHaveLength(2);
    });

    it("counts records and broken ones before they are read, unless only reading would tell", async () => {
      const example = make();
      const source = await open(example);
      expect(await source.count()).toBe(example.change === undefined ? undefined : 4);
      expect(await recordsOf(source)).toHaveLength(4);
    });

    it("has one digest for one input and another for another, or none if it is read once", async () => {
      const example = make();
      const digest = await digestOf(example);
      expect(await digestOf(example)).toBe(digest);
      const changed = example.change ?? (() => {});
      changed();
      const isSame = (await digestOf(example)) === digest;
      expect(isSame).toBe(example.change === undefined);
    });
  });
}

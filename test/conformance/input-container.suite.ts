/** The rules of every container of records. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import type { InputChoice, InputContainer } from "../../src/core/ports/input-container.js";
import type { RecordSource } from "../../src/core/ports/record-source.js";
import type { InputRecord } from "../../src/core/record.js";
import { openSource, placeOf } from "../../src/inputs/open-source.js";

export interface ContainerExample {
  /** A place that holds the records "a", "b" and "c", in this order, and one broken one after "a". */
  readonly choice: InputChoice;
  /** Changes one text of the place, so that it is another input. */
  readonly change: () => void;
}

function idsOf(records: readonly InputRecord[]): string[] {
  return records.flatMap((one) => (one.status === "valid" ? [one.request.id] : []));
}

export function testInputContainer(container: InputContainer, make: () => ContainerExample): void {
  describe(`the container ${container.name}`, () => {
    const opened: RecordSource[] = [];

    async function open(choice: InputChoice): Promise<RecordSource> {
      const source = await openSource(choice, {
        limits: DEFAULT_LIMITS,
        topN: undefined,
        stdin: Readable.from([]),
        onNote: () => {},
        modelNames: () => ["model"],
      });
      opened.push(source);
      return source;
    }

    async function digest(choice: InputChoice): Promise<string> {
      const hash = createHash("sha256");
      expect(await (await open(choice)).addTo(hash)).toBe(true);
      return hash.digest("hex");
    }

    async function read(choice: InputChoice, done: readonly string[] = []): Promise<InputRecord[]> {
      const records: InputRecord[] = [];
      for await (const record of (await open(choice)).read(new Set(done))) records.push(record);
      return records;
    }

    afterEach(async () => {
      for (const source of opened.splice(0)) {
        await source.close();
        // Safe to call twice.
        await source.close();
      }
    });

    it("holds its own place", async () => {
      expect(container.holds(await placeOf(make().choice.input))).toBe(true);
    });

    it("gives the records in order, and the broken one in its place", async () => {
      const records = await read(make().choice);
      expect(idsOf(records)).toEqual(["a", "b", "c"]);
      expect(records.findIndex(({ status }) => status === "invalid")).toBe(1);
    });

    it("leaves out records that have a ranking, and still reports the broken one", async () => {
      const records = await read(make().choice, ["a", "c"]);
      expect(idsOf(records)).toEqual(["b"]);
      expect(records).toHaveLength(2);
    });

    it("counts records and broken lines before it is read", async () => {
      const source = await open(make().choice);
      expect(await source.count()).toBe(4);
      const records: InputRecord[] = [];
      for await (const record of source.read(new Set())) records.push(record);
      expect(records).toHaveLength(4);
    });

    it("has one digest for one input, and another for another", async () => {
      const { choice, change } = make();
      const before = await digest(choice);
      expect(await digest(choice)).toBe(before);
      change();
      expect(await digest(choice)).not.toBe(before);
    });

    it("refuses a record that the output could not hold, in its place", async () => {
      const { choice } = make();
      const source = await openSource(choice, {
        limits: DEFAULT_LIMITS,
        topN: 7,
        stdin: Readable.from([]),
        onNote: () => {},
        modelNames: () => ["model"],
        accepts: ({ id, topN }) => {
          expect(topN).toBe(7);
          if (id === "b") throw new Error("no place for b");
        },
      });
      opened.push(source);
      const records: InputRecord[] = [];
      for await (const record of source.read(new Set())) records.push(record);
      expect(idsOf(records)).toEqual(["a", "c"]);
      expect(records[2]).toMatchObject({ failure: { id: "b", reason: "no place for b" } });
    });
  });
}

/** The rules of every container of records. */
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, type RerankRequest } from "../../src/core/contract.js";
import type { InputChoice, InputContainer } from "../../src/core/ports/input-container.js";
import type { RecordSource } from "../../src/core/ports/record-source.js";
import { openSource, placeOf } from "../../src/inputs/open-source.js";
import { idsOf, recordsOf, testRecordSource } from "./record-source.suite.js";

export interface ContainerExample {
  /** A place that holds the records "a", "b" and "c", in this order, and one broken one after "a". */
  readonly choice: InputChoice;
  /** Changes one text of the place, so that it is another input. */
  readonly change: () => void;
}

async function open(
  choice: InputChoice,
  topN?: number,
  accepts: (request: RerankRequest) => void = () => {},
): Promise<RecordSource> {
  return await openSource(choice, {
    limits: DEFAULT_LIMITS,
    topN,
    stdin: Readable.from([]),
    onNote: () => {},
    modelNames: () => ["model"],
    accepts,
  });
}

export function testInputContainer(container: InputContainer, make: () => ContainerExample): void {
  testRecordSource(`in the container ${container.name}`, () => {
    const { choice, change } = make();
    return { open: async () => await open(choice), change };
  });

  describe(`the container ${container.name}`, () => {
    it("holds its own place", async () => {
      expect(container.holds(await placeOf(make().choice.input))).toBe(true);
    });

    it("refuses a record that the output could not hold, in its place", async () => {
      const source = await open(make().choice, 7, ({ id, topN }) => {
        expect(topN).toBe(7);
        if (id === "b") throw new Error("no place for b");
      });
      const records = await recordsOf(source);
      await source.close();
      expect(idsOf(records)).toEqual(["a", "c"]);
      expect(records[2]).toMatchObject({ failure: { id: "b", reason: "no place for b" } });
    });
  });
}

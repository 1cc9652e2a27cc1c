/** Sources that no container of the registry opens; `input-containers.test.ts` holds the others to the same suite. */
import { Readable } from "node:stream";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import type { RecordSource } from "../../src/core/ports/record-source.js";
import { GivenRecords, type GivenRecord } from "../../src/inputs/given-records.js";
import { openSource } from "../../src/inputs/open-source.js";
import { refuseRecords } from "../../src/inputs/refuse-records.js";
import { testRecordSource } from "./record-source.suite.js";

function record(id: string): GivenRecord {
  return { id, query: "q", documents: ["text"] };
}

const RECORDS = ["a", "x", "b", "c"].map(record);
const BROKEN: readonly GivenRecord[] = RECORDS.map((one) =>
  one.id === "x" ? { ...one, query: "" } : one,
);

async function openInput(text: string): Promise<RecordSource> {
  const choice = {
    input: "-",
    format: "auto",
    firstStage: undefined,
    depth: undefined,
    split: undefined,
    docFields: ["text"],
    indexDir: "",
  };
  return await openSource(choice, {
    limits: DEFAULT_LIMITS,
    topN: undefined,
    stdin: Readable.from([text]),
    onNote: () => {},
    modelNames: () => ["model"],
  });
}

testRecordSource("on standard input", () => {
  const [first, , ...others] = RECORDS.map((one) => JSON.stringify(one));
  return { open: async () => await openInput([first, "no JSON", ...others].join("\n")) };
});

testRecordSource("that a program gives", () => ({
  open: async () => await Promise.resolve(new GivenRecords(BROKEN, DEFAULT_LIMITS, undefined)),
}));

testRecordSource("without those that the output could not hold", () => ({
  open: async () => {
    const source = new GivenRecords(RECORDS, DEFAULT_LIMITS, undefined);
    return await Promise.resolve(
      refuseRecords(source, ({ id }) => {
        if (id === "x") throw new Error("no place for x");
      }),
    );
  },
}));

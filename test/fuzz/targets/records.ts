/** Lines of every input format, and the records, failures and jobs made of them. */
import { parseRequest, toWireRequest, type Limits } from "../../../src/core/contract.js";
import {
  failureLine,
  parseFailure,
  parseRecord,
  type InputRecord,
  type RecordFailure,
} from "../../../src/core/record.js";
import { textFile } from "../../../src/inputs/containers/text-file.js";
import { INPUT_FORMATS } from "../../../src/inputs/formats/registry.js";
import { shapeOfLines } from "../../../src/inputs/shape-of-lines.js";
import { describeFailure } from "../../../src/runs/failure-listing.js";
import { mutated } from "../support/mutate.js";
import { sameJson } from "../support/same-json.js";
import { all, inPieces, must, type FuzzTarget } from "../support/target.js";

export const LIMITS: Limits = {
  maxDocuments: 20,
  maxQueryChars: 500,
  maxDocumentChars: 2_000,
  maxJobBytes: 20_000,
};

/** Valid lines of each format, on which the others are made. */
export const RECORD_LINES = [
  '{"id":"a","query":"capital of France","documents":["Paris","Berlin"],"top_n":1,"metadata":{"n":12345678901234567890,"x":[1,{"y":null}]}}',
  '{"id":"b","query":"q","documents":[{"id":"d1","text":"one"},{"text":"two"}],"metadata":{"price":1.0}}',
  '{"custom_id":"c","method":"POST","url":"/v1/rerank","body":{"model":"m","query":"q","documents":["d"],"top_k":2,"metadata":{"big":1e400}}}',
  '{"id":"d","query":"q","document":{"id":"x","text":"d"},"metadata":{"__proto__":1}}',
  '{"query":"q","pos":["p"],"neg":["n","m"],"pos_scores":[1],"prompt":"p"}',
  '{"id":"a","query":"twice","documents":[]}',
];
const FILES = [
  ...RECORD_LINES.map((line) => `${line}\n`),
  `${RECORD_LINES.join("\n")}\n`,
  `\ufeff${RECORD_LINES.join("\r\n")}`,
  `[\n  ${RECORD_LINES[0] ?? ""}\n]\n`,
  "id,query,document\n1,q,d\n",
];

export const records: FuzzTarget = {
  name: "records",
  files: false,
  weight: 10,
  run: async ({ random }) => {
    const bytes = mutated(random, FILES);
    const source = await textFile.open(
      {
        input: "-",
        format: random.pick(INPUT_FORMATS),
        firstStage: undefined,
        depth: undefined,
        split: undefined,
        docFields: [],
        indexDir: "",
      },
      {
        limits: LIMITS,
        topN: random.between(0, 1) === 0 ? undefined : 1,
        stdin: inPieces(random, bytes),
        onNote: () => {},
        modelNames: () => [],
      },
    );
    const found = await all(source.read(new Set()));
    const failures = found.flatMap((one) => (one.status === "invalid" ? [one.failure] : []));
    if (failures.length === found.length) shapeOfLines(failures, "FILE");
    checkIds(found);
    for (const record of found) checkRecord(record);
  },
};

/** An id stands in the output or in the failed file, and never twice. */
function checkIds(found: readonly InputRecord[]): void {
  const ids = found.map((one) => (one.status === "valid" ? one.request.id : one.failure.id));
  const named = ids.filter((id) => id !== undefined);
  must(new Set(named).size === named.length, "an id stands twice", named);
}

function checkRecord(record: InputRecord): void {
  const spooled = JSON.stringify(record);
  const read: unknown = JSON.parse(JSON.stringify(parseRecord(spooled)));
  must(sameJson(read, JSON.parse(spooled)), "a spooled record changes", record);
  if (record.status === "invalid") checkFailure(record.failure);
  else {
    const wire = toWireRequest(record.request);
    const again = parseRequest(wire, LIMITS, record.bytes);
    must(sameJson(toWireRequest(again), wire), "a request changes on the wire", wire);
  }
}

function checkFailure(failure: RecordFailure): void {
  const line = failureLine(failure);
  must(!line.includes("\n"), "a failure takes two lines", line);
  must(failureLine(parseFailure(line)) === line, "a failure changes in its file", line);
  describeFailure(failure);
}

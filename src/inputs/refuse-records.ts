import type { RerankRequest } from "../core/contract.js";
import { describeError } from "../core/errors.js";
import type { RecordSource } from "../core/ports/record-source.js";
import type { InputRecord } from "../core/record.js";

/**
 * The same source without the records whose ranking could not be written: they fail in their place,
 * before any is scored.
 *
 * @param accepts throws for such a record
 */
export function refuseRecords(
  source: RecordSource,
  accepts: (request: RerankRequest) => void,
): RecordSource {
  return {
    read: (doneIds) => checked(source.read(doneIds), accepts),
    count: () => source.count(),
    addTo: (hash) => source.addTo(hash),
    close: () => source.close(),
  };
}

async function* checked(
  records: AsyncIterable<InputRecord>,
  accepts: (request: RerankRequest) => void,
): AsyncGenerator<InputRecord, void, undefined> {
  for await (const record of records) {
    yield record.status === "valid" ? judged(record, accepts) : record;
  }
}

function judged(
  record: Extract<InputRecord, { status: "valid" }>,
  accepts: (request: RerankRequest) => void,
): InputRecord {
  try {
    accepts(record.request);
    return record;
  } catch (error) {
    const { code, message: reason } = describeError(error);
    const { line, request } = record;
    const { id, query, documents } = request;
    return {
      status: "invalid",
      failure: { line, id, code, reason, input: { id, query, documents } },
    };
  }
}

import { RankmillError } from "../../core/errors.js";
import type { RecordSource } from "../../core/ports/record-source.js";
import type { InputRecord } from "../../core/record.js";

/** Passes bytes on, up to a bound. @throws RankmillError `limit_exceeded` for the byte above it */
export async function* boundBytes(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLong(bytes, maxBytes);
    yield chunk;
  }
}

/** The same source, whose records may have so many bytes together: a body can be far larger once it is inflated. */
export function boundRecords(source: RecordSource, maxBytes: number): RecordSource {
  return {
    read: (doneIds) => bounded(source.read(doneIds), maxBytes),
    count: () => source.count(),
    addTo: (hash) => source.addTo(hash),
    close: () => source.close(),
  };
}

async function* bounded(
  records: AsyncIterable<InputRecord>,
  maxBytes: number,
): AsyncGenerator<InputRecord, void, undefined> {
  let bytes = 0;
  for await (const record of records) {
    bytes += record.status === "valid" ? record.bytes : JSON.stringify(record.failure).length;
    if (bytes > maxBytes) throw tooLong(bytes, maxBytes);
    yield record;
  }
}

function tooLong(value: number, max: number): RankmillError {
  const limit = { name: "maxUploadBytes", value, max, unit: "bytes" };
  const message = `the input has more than ${max} bytes (maxUploadBytes)`;
  return new RankmillError("limit_exceeded", message, { field: "body", limit });
}

import { describeError, RankmillError } from "../core/errors.js";
import type { RerankRequest } from "../core/contract.js";
import type { InputRecord } from "../core/record.js";
import { assertTrecToken } from "./read/trec.js";

/**
 * Refuses the records whose ranking could not be written as a TREC run, before any is scored: those
 * whose documents have no ids, or ids that a column cannot hold.
 */
export async function* fitForTrec(
  records: AsyncIterable<InputRecord>,
): AsyncGenerator<InputRecord, void, undefined> {
  for await (const record of records) {
    if (record.status === "invalid") {
      yield record;
      continue;
    }
    const { line, request } = record;
    try {
      assertFits(request);
      yield record;
    } catch (error) {
      const { code, message } = describeError(error);
      const { id, query, documents } = request;
      const input = { id, query, documents };
      yield { status: "invalid", failure: { line, id, code, reason: message, input } };
    }
  }
}

/** @throws RankmillError `invalid_field` or `duplicate_id` */
function assertFits({ id, documents }: RerankRequest): void {
  assertTrecToken(id, "query id");
  const ids = new Set<string>();
  for (const [index, document] of documents.entries()) {
    if (document.id === undefined) {
      const field = `documents[${index}].id`;
      throw new RankmillError("invalid_field", `${field}: is missing, a TREC run names each`, {
        field,
      });
    }
    assertTrecToken(document.id, `documents[${index}].id`);
    if (ids.has(document.id)) {
      const message = `documents[${index}].id: "${document.id}" is there twice`;
      throw new RankmillError("duplicate_id", message);
    }
    ids.add(document.id);
  }
}

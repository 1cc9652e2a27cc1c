import { describe, expect, it } from "vitest";
import { documentsWire } from "../../../../src/app/gateway/wires/documents.js";

describe("the fields that a request ranks by", () => {
  const documents = [{ text: "a river", title: "The mill", year: 1870, open: true }];
  const callOf = (rankFields: readonly string[]) =>
    documentsWire.read({ query: "mill", documents, rank_fields: rankFields }, "/v1/rerank").call;

  it("may be numbers and truths, as text", () => {
    const { questions, warnings } = callOf(["title", "year", "open"]);
    expect(questions).toEqual([{ query: "mill", documents: ["The mill\n1870\ntrue"] }]);
    expect(warnings).toEqual([]);
  });

  it("are named in a warning if no document has them", () => {
    const { questions, warnings } = callOf(["titel", "constructor"]);
    expect(questions).toEqual([{ query: "mill", documents: ["a river"] }]);
    expect(warnings).toEqual([
      'rank_fields: no document has "titel"',
      'rank_fields: no document has "constructor"',
    ]);
  });
});

/** Lists that are cut into jobs, and rankings that are put together again. */
import { describe, expect, it } from "vitest";
import { mergeRankings } from "../../../../src/app/gateway/merge-rankings.js";
import { splitCall } from "../../../../src/app/gateway/split-list.js";
import { DEFAULT_LIMITS, toWireRequest, type Limits } from "../../../../src/core/contract.js";
import type { Question, RankCall } from "../../../../src/core/rank-call.js";
import { SeededRandom } from "../../../support/random.js";

function callOf(...questions: Question[]): RankCall {
  return {
    model: undefined,
    questions,
    topN: undefined,
    scoring: {},
    fields: { query: "query", documents: "texts" },
    warnings: [],
  };
}

const bytesOf = (request: Parameters<typeof toWireRequest>[0]): number =>
  Buffer.byteLength(JSON.stringify(toWireRequest(request)));

describe("a list", () => {
  it("is cut into parts that a job may have, whatever its texts hold, and none is lost", () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 200; round += 1) {
      const limits: Limits = {
        ...DEFAULT_LIMITS,
        maxDocuments: random.between(1, 9),
        maxJobBytes: 400,
      };
      const documents = Array.from({ length: random.between(0, 40) }, () =>
        random.pick(["a", "\u0000", '"', "é", "語", "\\"]).repeat(random.between(0, 30)),
      );
      const parts = splitCall(callOf({ query: 'q"', documents }), limits, 100);
      expect(parts.flatMap(({ request }) => request.documents.map(({ text }) => text))).toEqual(
        documents,
      );
      for (const { offset, request } of parts) {
        expect(request.documents.length).toBeLessThanOrEqual(limits.maxDocuments);
        expect(bytesOf(request)).toBeLessThanOrEqual(limits.maxJobBytes);
        expect(documents[offset]).toBe(request.documents[0]?.text);
      }
    }
  });

  it.each([
    [callOf({ query: " ", documents: [] }), /^query: must not be empty/],
    [
      callOf({ query: "q", documents: ["a", "bbbb"] }),
      /^texts\[1\]: has 4 characters, over the limit of 3/,
    ],
    [
      callOf({ query: "q", documents: ["a", "b", "c"] }),
      /^texts: has 3 documents, over the limit of 2/,
    ],
  ])("that breaks a limit is refused by the wire's name of the field (%#)", (call, message) => {
    expect(() => splitCall(call, { ...DEFAULT_LIMITS, maxDocumentChars: 3 }, 2)).toThrowError(
      message,
    );
  });
});

it("rankings of parts make the ranking of the whole list", () => {
  const random = new SeededRandom(11);
  for (let round = 0; round < 100; round += 1) {
    const logits = Array.from({ length: 20 }, () => random.between(-3, 3));
    const rankingOf = (from: number, to: number) => ({
      id: "r",
      model: "m",
      results: logits
        .slice(from, to)
        .map((logit, index) => ({ index, logit, relevanceScore: logit / 2, truncated: false }))
        .filter(({ index }) => (index + from) % 7 !== 0)
        .sort((one, other) => other.logit - one.logit || one.index - other.index),
      errors: logits
        .slice(from, to)
        .flatMap((_, index) =>
          (index + from) % 7 === 0 ? [{ index, code: "c", message: "m" }] : [],
        ),
      usage: { pairs: to - from, tokens: 2 * (to - from), truncated: 0 },
    });
    const cut = random.between(1, 19);
    const parts = [
      { offset: 0, ranking: rankingOf(0, cut) },
      { offset: cut, ranking: rankingOf(cut, 20) },
    ];
    expect(mergeRankings(parts)).toEqual(mergeRankings([{ offset: 0, ranking: rankingOf(0, 20) }]));
  }
});

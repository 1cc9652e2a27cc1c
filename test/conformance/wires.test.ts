/** Every wire against the rules that all share, and the things that each has alone. */
import { describe, expect, it } from "vitest";
import type { Wire, WireBody } from "../../src/core/ports/wire.js";
import type { Ranked, RankedList } from "../../src/core/rank-call.js";
import { documentsWire } from "../../src/app/gateway/wires/documents.js";
import { huggingFaceWire } from "../../src/app/gateway/wires/hugging-face.js";
import { nimWire } from "../../src/app/gateway/wires/nim.js";
import { WIRES } from "../../src/app/gateway/wires/registry.js";
import { scoreWire } from "../../src/app/gateway/wires/score.js";
import { teiWire } from "../../src/app/gateway/wires/tei.js";
import { weaviateWire } from "../../src/app/gateway/wires/weaviate.js";
import { writeJson } from "../../src/app/gateway/wires/write-json.js";
import { testWire, type WireExample } from "./wire.suite.js";

interface Results {
  readonly results: readonly { readonly index: number; readonly relevance_score: number }[];
}

const TEXT_ERROR = (body: unknown): unknown => (body as { error: string }).error;

const EXAMPLES = new Map<Wire, WireExample>([
  [
    documentsWire,
    {
      path: "/v1/rerank",
      ask: ({ query, documents }) => ({ query, documents: [...documents] }),
      read: (answer) =>
        (answer as Results).results.map((one) => ({
          index: one.index,
          score: one.relevance_score,
        })),
      gives: "score",
      order: "best first",
      messageOf: (body) => {
        const { message, detail, error } = body as {
          message: string;
          detail: string;
          error: { message: string };
        };
        // Cohere, Jina and Together: each looks in a place of its own.
        return message === detail && detail === error.message ? message : undefined;
      },
      documents: "documents",
    },
  ],
  [
    teiWire,
    {
      path: "/rerank",
      ask: ({ query, documents }) => ({ query, texts: [...documents] }),
      read: (answer) => answer as { index: number; score: number }[],
      gives: "score",
      order: "best first",
      messageOf: TEXT_ERROR,
      documents: "texts",
    },
  ],
  [
    weaviateWire,
    {
      path: "/rerank",
      ask: ({ query, documents }) => ({ query, documents: [...documents], property: "body" }),
      read: (answer) =>
        (answer as { scores: { score: number }[] }).scores.map(({ score }, index) => ({
          index,
          score,
        })),
      gives: "score",
      order: "as asked",
      messageOf: TEXT_ERROR,
      documents: "documents",
    },
  ],
  [
    huggingFaceWire,
    {
      path: "/hf/rerank",
      ask: ({ query, documents }) => ({ query, documents: [...documents] }),
      read: (answer) => answer as { index: number; score: number }[],
      gives: "score",
      order: "best first",
      messageOf: TEXT_ERROR,
      documents: "documents",
    },
  ],
  [
    nimWire,
    {
      path: "/v1/ranking",
      ask: ({ query, documents }) => ({
        query: { text: query },
        passages: documents.map((text) => ({ text })),
      }),
      read: (answer) =>
        (answer as { rankings: { index: number; logit: number }[] }).rankings.map(
          ({ index, logit }) => ({ index, score: logit }),
        ),
      gives: "logit",
      order: "best first",
      messageOf: (body) => (body as { detail: string }).detail,
      documents: "passages",
    },
  ],
  [
    scoreWire,
    {
      path: "/v1/score",
      ask: ({ query, documents }) => ({ text_1: query, text_2: [...documents] }),
      read: (answer) =>
        (answer as { data: { index: number; score: number }[] }).data.map(({ index, score }) => ({
          index,
          score,
        })),
      gives: "score",
      order: "as asked",
      messageOf: (body) => (body as { error: { message: string } }).error.message,
      documents: "text_2",
    },
  ],
]);

it("every wire has an example", () => {
  expect([...EXAMPLES.keys()]).toEqual(expect.arrayContaining([...WIRES]));
});

for (const [wire, example] of EXAMPLES) testWire(wire, example);

const LIST: RankedList = {
  results: [
    { index: 1, score: 0.75, logit: 2 },
    { index: 0, score: 0.5, logit: 0 },
  ],
  failed: [],
  usage: { pairs: 2, tokens: 8, truncated: 0 },
};
const FACTS = { id: "r", createdSeconds: 1, tookMs: 5, warnings: ["w"] };

function answerTo(wire: Wire, path: string, body: WireBody, lists = [LIST]): unknown {
  const ranked: Ranked = { model: "m", lists };
  return JSON.parse(writeJson(wire.read(body, path).answer(ranked, FACTS).body));
}

describe("the wire of documents", () => {
  const BODY = { query: "q", documents: ["a", { text: "b" }] };

  it("answers all clients with one object", () => {
    expect(answerTo(documentsWire, "/v2/rerank", { ...BODY, top_n: null })).toEqual({
      id: "r",
      object: "rerank",
      model: "m",
      created: 1,
      results: [
        { index: 1, relevance_score: 0.75 },
        { index: 0, relevance_score: 0.5 },
      ],
      usage: { prompt_tokens: 8, completion_tokens: 0, total_tokens: 8 },
      meta: {
        api_version: { version: "2" },
        billed_units: { search_units: 1 },
        tokens: { input_tokens: 8, output_tokens: 0 },
        warnings: ["w"],
      },
    });
  });

  it.each([true, "true", 1])("gives documents back as objects if asked with %j", (asked) => {
    expect(
      answerTo(documentsWire, "/v1/rerank", { ...BODY, return_documents: asked }),
    ).toMatchObject({ results: [{ document: { text: "b" } }, { document: { text: "a" } }] });
  });

  it.each([{ top_k: 1 }, { truncation: true, top_k: 1, return_documents: true }])(
    "gives data beside results, which Voyage's clients read, for %j",
    (more) => {
      const document = "return_documents" in more ? { document: "b" } : {};
      expect(answerTo(documentsWire, "/v1/rerank", { ...BODY, ...more })).toMatchObject({
        results: [{ index: 1 }],
        data: [{ index: 1, relevance_score: 0.75, ...document }],
      });
    },
  );

  it("gives data to a client that sends none of Voyage's own fields, but none to one that sends top_n", () => {
    expect(answerTo(documentsWire, "/v1/rerank", BODY)).toHaveProperty("data");
    expect(answerTo(documentsWire, "/v1/rerank", { ...BODY, top_n: 2 })).not.toHaveProperty("data");
  });

  it.each([null, 0, 9, "9", undefined])("takes a top_n of %j as all", (topN) => {
    const answer = answerTo(documentsWire, "/v1/rerank", { ...BODY, top_n: topN });
    expect((answer as Results).results).toHaveLength(2);
  });

  it.each([-1, 1.5, "many", {}])("refuses a top_n of %j", (topN) => {
    const bad = { ...BODY, top_n: topN };
    expect(() => documentsWire.read(bad, "/v1/rerank")).toThrowError(/^top_n: /);
  });

  it("joins the rank_fields of an object", () => {
    const documents = [{ title: "t", body: "b", date: 1 }];
    const body = { query: "q", documents, rank_fields: ["title", "body", "date"] };
    const { call } = documentsWire.read(body, "/v1/rerank");
    expect(call.questions[0]?.documents).toEqual(["t\nb\n1"]);
  });
});

describe("the wire of TEI", () => {
  const BODY = { query: "q", texts: ["a", "b"] };

  function stageHeaders(times: Ranked["times"]): unknown {
    const { answer } = teiWire.read(BODY, "/rerank");
    return answer({ model: "m", lists: [LIST], times }, FACTS).headers;
  }

  it("gives raw scores and texts if asked, and its headers", () => {
    const body = { ...BODY, raw_scores: true, return_text: true };
    expect(answerTo(teiWire, "/rerank", body)).toEqual([
      { index: 1, text: "b", score: 2 },
      { index: 0, text: "a", score: 0 },
    ]);
    const answer = teiWire.read(BODY, "/rerank").answer({ model: "m", lists: [LIST] }, FACTS);
    expect(answer.headers).toMatchObject({ "x-compute-tokens": "8", "x-total-time": "5" });
  });

  it("divides the whole time among its stages if the worker's times are known", () => {
    expect(stageHeaders({ tokenizationMs: 1.2, inferenceMs: 2.1 })).toMatchObject({
      "x-total-time": "5",
      "x-tokenization-time": "1",
      "x-queue-time": "2",
      "x-inference-time": "2",
    });
    const stages = ["x-tokenization-time", "x-queue-time", "x-inference-time"];
    // Work that took longer than the request was done for an earlier one.
    for (const times of [undefined, { tokenizationMs: 1, inferenceMs: 9 }]) {
      for (const stage of stages) expect(stageHeaders(times)).not.toHaveProperty(stage);
    }
  });

  it("warns whoever wants texts cut at their start", () => {
    const { call } = teiWire.read({ ...BODY, truncation_direction: "Left" }, "/rerank");
    expect(call.warnings).toEqual(["truncation_direction: texts are cut at their end"]);
  });
});

describe("the wire of Elasticsearch", () => {
  it("gives exactly the fields that it knows", () => {
    const body = { query: "q", documents: ["a", "b"] };
    expect(answerTo(huggingFaceWire, "/hf/rerank", body)).toEqual([
      { index: 1, score: 0.75 },
      { index: 0, score: 0.5 },
    ]);
    expect(
      answerTo(huggingFaceWire, "/hf/rerank", { ...body, return_documents: true, top_n: 1 }),
    ).toEqual([{ index: 1, score: 0.75, text: "b" }]);
  });
});

describe("the wire of scores", () => {
  it("scores many with as many, and reads an equal query once", () => {
    const body = { text_1: ["p", "q", "p"], text_2: ["a", "b", "c"] };
    const { questions } = scoreWire.read(body, "/score").call;
    expect(questions).toEqual([
      { query: "p", documents: ["a", "c"] },
      { query: "q", documents: ["b"] },
    ]);
    const second = { ...LIST, results: [{ index: 0, score: 0.125, logit: -2 }] };
    const { data } = answerTo(scoreWire, "/score", body, [LIST, second]) as {
      data: { score: number }[];
    };
    expect(data.map(({ score }) => score)).toEqual([0.5, 0.125, 0.75]);
  });

  it("refuses lists of two lengths", () => {
    const bad = { text_1: ["p", "q"], text_2: ["a", "b", "c"] };
    expect(() => scoreWire.read(bad, "/score")).toThrowError("text_1: has 2 texts and text_2 3");
  });
});

/** Things that examples speak of. A reader puts ids of their own in the place of these. */
export const EXAMPLE_MODEL = "ms-marco-MiniLM-L6-v2";
export const EXAMPLE_IDS = {
  request: "0b6f6f0e-58a4-4b43-9d0e-2a2f3c8f6a11",
  job: "r5a1f0c3e9b7d48e2a6c4f1d0b8e7a9c35a1f0c3e-1c2d3e4f",
  run: "run-7d0f1f7e-5c3b-4d8a-9a55-2f1f5f0f3c11",
  file: "file-3f2a1b4c5d6e7f8091a2b3c4",
  batch: "batch_7d0f1f7e-5c3b-4d8a-9a55-2f1f5f0f3c11",
} as const;

export const EXAMPLE_QUERY = "who grinds corn?";
export const EXAMPLE_DOCUMENTS = ["a river", "the miller"];

const USAGE = { pairs: 2, tokens: 19, truncated: 0 };
export const EXAMPLE_RANKING = {
  id: "q1",
  model: EXAMPLE_MODEL,
  results: [
    { index: 1, relevance_score: 0.93, logit: 2.59 },
    { index: 0, relevance_score: 0.07, logit: -2.59 },
  ],
  usage: USAGE,
};

/** Two records as lines of JSON. */
export const EXAMPLE_RECORDS = `${[
  { id: "q1", query: EXAMPLE_QUERY, documents: EXAMPLE_DOCUMENTS },
  { id: "q2", query: "where do boats go?", documents: EXAMPLE_DOCUMENTS },
]
  .map((record) => JSON.stringify(record))
  .join("\n")}\n`;

/** A request of a batch as a line of JSON. */
export const EXAMPLE_BATCH_LINES = `${JSON.stringify({
  custom_id: "q1",
  method: "POST",
  url: "/v1/rerank",
  body: { model: EXAMPLE_MODEL, query: EXAMPLE_QUERY, documents: EXAMPLE_DOCUMENTS },
})}\n`;

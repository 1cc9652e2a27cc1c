/** A pair of which every reranker makes something. */
export const EXAMPLE_PAIR = {
  query: "how are queues drained",
  document: "A worker that is told to stop takes no more jobs and finishes those in its hands.",
} as const;

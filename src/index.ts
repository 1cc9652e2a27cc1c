/**
 * The library: what a producer imports. Loads neither ONNX Runtime nor a tokenizer.
 */
export { Client, createClient, type ClientOptions } from "./app/client/client.js";
export type { RerankOptions } from "./app/client/rerank-options.js";
export type { CallOptions, ResultOptions } from "./app/client/call-options.js";
export type { EnqueueManyOptions, ManyResult } from "./app/client/enqueue-many.js";
export type { ClientRuns, RunInput, SubmitOptions } from "./app/client/client-runs.js";
export { EnqueuedJob } from "./app/client/enqueued-job.js";
export type { RankedDocument, Ranking } from "./app/client/ranking.js";
export type {
  RankingsOptions,
  ResultStreams,
  Run,
  RunCall,
  RunSummary,
  UntilOverOptions,
  WrittenResults,
} from "./app/runs/run.js";
export type { RedisTls } from "./redis/redis-url.js";
export type { GivenRecord } from "./inputs/given-records.js";
export type { RunItem } from "./runs/run-item.js";
export type { RunState, RunStatus } from "./runs/run-status.js";
export type { RunCounts } from "./core/run-counts.js";
export type { RecordFailure } from "./core/record.js";
export {
  DEFAULT_LIMITS,
  jsonSchemas,
  SCHEMA_MAJOR,
  type Limits,
  type WireRanking,
  type WireRequest,
} from "./core/contract.js";
export {
  RankmillError,
  type ErrorCode,
  type ErrorContext,
  type ExceededLimit,
} from "./core/errors.js";
export type {
  EnqueueOutcome,
  LongDocuments,
  ModelKey,
  PublicScore,
  Truncation,
} from "./core/job.js";
export { jobKeys, modelTag, queueName } from "./redis/keys.js";
export type { TextWindow } from "./core/document-score.js";

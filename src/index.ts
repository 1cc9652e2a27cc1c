/**
 * The library: what a producer imports. Loads neither ONNX Runtime nor a tokenizer.
 */
export {
  Client,
  createClient,
  type ClientOptions,
  type RerankOptions,
} from "./app/client/client.js";
export { EnqueuedJob, type RankedDocument, type Ranking } from "./app/client/enqueued-job.js";
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

/**
 * The options that a file in the working folder may set although nobody has named it, by the names code uses. Such a
 * file may come with data from anywhere: addresses, keys, places, and whatever agrees to something or removes
 * something are not among them. An option that is new is not either.
 */
export const FOLDER_MAY_SET: ReadonlySet<string> = new Set([
  "model",
  "precision",
  "maxScoreError",
  "tokenizer",
  "prepare",
  "device",
  "deviceFallback",
  "inputFormat",
  "depth",
  "split",
  "docFields",
  "outputFormat",
  "tag",
  "keepRest",
  "topN",
  "maxLength",
  "truncation",
  "longDocuments",
  "overlapTokens",
  "maxWindows",
  "maxTokensPerDoc",
  "score",
  "lanes",
  "threads",
  "maxBatchTokens",
  "maxBatchSize",
  "memoryLimitBytes",
  "calibrateAhead",
  "tokenCacheBytes",
  "calibrate",
  "concurrency",
  "scoreCacheBytes",
  "drainTimeout",
  "inFlightJobs",
  "inFlightBytes",
  "runTtl",
  "maxRuns",
  "limit",
  "wait",
  "maxDocuments",
  "maxQueryChars",
  "maxDocumentChars",
  "maxJobBytes",
  "ignoreIdenticalIds",
  "records",
  "documents",
  "json",
  "logLevel",
  "logFormat",
  "color",
]);

/** True for the name of a model that leads to no place: neither a path nor a home. */
export function isPlainName(value: unknown): boolean {
  return typeof value === "string" && /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)?$/.test(value);
}

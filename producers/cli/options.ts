import { DEVICE_CHOICES, DEVICE_FALLBACKS } from "../../src/core/device.js";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import {
  LONG_DOCUMENTS,
  MOST_WINDOWS,
  PUBLIC_SCORES,
  TRUNCATIONS,
} from "../../src/core/scoring-options.js";
import { OUTPUT_FORMATS } from "../../src/runs/export-rankings.js";
import { DEFAULT_DOC_FIELDS } from "../../src/runs/formats/corpus-document.js";
import { INPUT_FORMATS } from "../../src/runs/sources/json-lines.js";
import { DEFAULT_WINDOW } from "../../src/runs/window.js";

/**
 * Every option of the command line: the one place that names a flag, its environment variable, its
 * default and its unit. The README's table is checked against it.
 */
export interface OptionSpec {
  readonly flags: string;
  readonly env?: string;
  readonly type: "string" | "integer" | "choice" | "flag";
  readonly choices?: readonly string[];
  /** Integers only; inclusive. */
  readonly min?: number;
  readonly max?: number;
  readonly default?: string | number;
  /** Said in place of a default that is computed. */
  readonly computedDefault?: string;
  readonly unit?: string;
  readonly description: string;
}

export const OPTIONS = {
  model: {
    flags: "--model <name|dir>",
    env: "RANKMILL_MODEL",
    type: "string",
    description: "model to score with: a name, an alias or a folder; there is no default",
  },
  precision: {
    flags: "--precision <precision>",
    env: "RANKMILL_PRECISION",
    type: "choice",
    choices: ["fp32", "fp16", "int8", "uint8"],
    computedDefault: "fp32; on CUDA fp16 where the model has it",
    description: "which of the model's files to run; another precision gives other scores",
  },
  device: {
    flags: "--device <device>",
    env: "RANKMILL_DEVICE",
    type: "choice",
    choices: DEVICE_CHOICES,
    default: "auto",
    description: "where lanes run the model; auto takes CUDA where all of it is there and works",
  },
  deviceFallback: {
    flags: "--device-fallback <what>",
    env: "RANKMILL_DEVICE_FALLBACK",
    type: "choice",
    choices: DEVICE_FALLBACKS,
    default: "fail",
    description: "with --device cuda: what to do where CUDA cannot be used",
  },
  cudaDir: {
    flags: "--cuda-dir <dir>",
    env: "RANKMILL_CUDA_DIR",
    type: "string",
    computedDefault: "~/.cache/rankmill/cuda",
    description: "folder of ONNX Runtime's CUDA provider and NVIDIA's libraries",
  },
  withLibraries: {
    flags: "--with-libraries",
    type: "flag",
    description: "NVIDIA's libraries as well, for machines without CUDA 13; 485 MB more",
  },
  indexUrl: {
    flags: "--index-url <url>",
    env: "RANKMILL_CUDA_INDEX_URL",
    type: "string",
    computedDefault: "pip's",
    description: "Python package index, or a mirror of one, to fetch from without pip",
  },
  from: {
    flags: "--from <dir>",
    type: "string",
    description: "take the wheels from this folder and open no socket",
  },
  modelsDir: {
    flags: "--models-dir <dir>",
    env: "RANKMILL_MODELS_DIR",
    type: "string",
    computedDefault: "~/.cache/rankmill/models",
    description: "folder of pulled models",
  },
  preparedDir: {
    flags: "--prepared-dir <dir>",
    env: "RANKMILL_PREPARED_DIR",
    type: "string",
    computedDefault: "~/.cache/rankmill/prepared",
    description: "folder of models compiled for this host, 1.5 to 2 times a model's size",
  },
  prepare: {
    flags: "--no-prepare",
    type: "flag",
    description: "run the model's own files: each lane then holds a copy of the weights",
  },
  fullCheck: {
    flags: "--full-check",
    type: "flag",
    description: "read all prepared files again even where nothing says that they changed",
  },
  pullFirst: {
    flags: "--pull",
    type: "flag",
    description: "fetch the model first where it is not at hand",
  },
  calibrateAhead: {
    flags: "--calibrate",
    type: "flag",
    description: "measure the model as well, so that workers with as many cores need not",
  },
  redisUrl: {
    flags: "--redis-url <url>",
    env: "REDIS_URL",
    type: "string",
    description: "redis://, rediss:// or unix:// address of Redis or Valkey",
  },
  input: {
    flags: "--input <path>",
    type: "string",
    description:
      "JSONL, one record a line, plain, gzip or zstd; - is standard input; or the folder of a collection",
  },
  inputFormat: {
    flags: "--input-format <format>",
    type: "choice",
    choices: INPUT_FORMATS,
    default: "auto",
    description: "shape of the lines; auto tells each line's by its fields",
  },
  firstStage: {
    flags: "--first-stage <file>",
    type: "string",
    description: "with a folder as --input: TREC run of each query's candidates, also gzip or zstd",
  },
  depth: {
    flags: "--depth <n>",
    type: "integer",
    min: 1,
    computedDefault: "all",
    unit: "documents",
    description: "candidates a query that are taken from the first stage, by its scores",
  },
  split: {
    flags: "--split <name>",
    type: "string",
    computedDefault: "all queries",
    description: "only queries that the collection's qrels/<name>.tsv judges",
  },
  docFields: {
    flags: "--doc-fields <names>",
    type: "string",
    default: DEFAULT_DOC_FIELDS.join(","),
    description: "fields of a collection's document that make its text, joined by a blank",
  },
  indexDir: {
    flags: "--index-dir <dir>",
    env: "RANKMILL_INDEX_DIR",
    type: "string",
    computedDefault: "~/.cache/rankmill/index",
    description: "indexes of collections, 16 bytes a document, and copies of compressed ones",
  },
  output: {
    flags: "--output <file>",
    type: "string",
    description: "one ranking a line; - is standard output",
  },
  outputFormat: {
    flags: "--output-format <format>",
    type: "choice",
    choices: OUTPUT_FORMATS,
    default: "jsonl",
    description: "jsonl; a TREC run; or FlagEmbedding's lines with pos_scores and neg_scores",
  },
  tag: {
    flags: "--tag <name>",
    type: "string",
    default: "rankmill",
    description: "last column of a TREC run",
  },
  keepRest: {
    flags: "--keep-rest",
    type: "flag",
    description: "append beneath each TREC ranking what else the first stage has",
  },
  dryRun: {
    flags: "--dry-run",
    type: "flag",
    description: "count, measure and score 200 pairs, then say what the run will take",
  },
  evalRun: {
    flags: "--run <file>",
    type: "string",
    description: "rankings to evaluate: a TREC run or rankmill's JSONL, also gzip or zstd",
  },
  before: {
    flags: "--before <file>",
    type: "string",
    description: "a run to compare with: the first stage",
  },
  qrels: {
    flags: "--qrels <file>",
    type: "string",
    description: "judgements: BEIR's three columns with header, or trec_eval's four",
  },
  ignoreIdenticalIds: {
    flags: "--ignore-identical-ids",
    type: "flag",
    description: "leave out of each list the document that has the query's own id",
  },
  topN: {
    flags: "--top-n <n>",
    type: "integer",
    min: 0,
    computedDefault: "all",
    unit: "results",
    description: "results of a record that names no top_n; 0 is all",
  },
  maxLength: {
    flags: "--max-length <n>",
    env: "RANKMILL_MAX_LENGTH",
    type: "integer",
    min: 8,
    computedDefault: "the model's own",
    unit: "tokens",
    description: "longest encoded pair, special tokens included; the rest is cut off",
  },
  truncation: {
    flags: "--truncation <how>",
    type: "choice",
    choices: TRUNCATIONS,
    default: "only-second",
    description: "what is cut: the document's tail, or tokens of whichever side is longer",
  },
  longDocuments: {
    flags: "--long-documents <how>",
    type: "choice",
    choices: LONG_DOCUMENTS,
    default: "truncate",
    description: "cut a document that does not fit, or score it in windows and take the best",
  },
  overlapTokens: {
    flags: "--overlap-tokens <n>",
    type: "integer",
    min: 0,
    computedDefault: "64, or a quarter of the max length where that is less",
    unit: "tokens",
    description: "with windows: what each shares with the one before, at least",
  },
  maxWindows: {
    flags: "--max-windows <n>",
    type: "integer",
    min: 1,
    max: MOST_WINDOWS,
    computedDefault: "64",
    unit: "windows",
    description: "with windows: windows of one document; what lies beyond is not read, and marked",
  },
  maxTokensPerDoc: {
    flags: "--max-tokens-per-doc <n>",
    type: "integer",
    min: 0,
    default: 0,
    unit: "tokens",
    description: "tokens of each document that are read, the query's not counted; 0 is all",
  },
  score: {
    flags: "--score <what>",
    type: "choice",
    choices: PUBLIC_SCORES,
    default: "activated",
    description: "relevance_score: the logit after the model's activation, or the logit itself",
  },
  lanes: {
    flags: "--lanes <n>",
    env: "RANKMILL_LANES",
    type: "integer",
    min: 1,
    computedDefault: "calibrated; as many as memory holds, at most one a usable core",
    unit: "processes",
    description: "inference processes",
  },
  threads: {
    flags: "--threads <n>",
    env: "RANKMILL_THREADS",
    type: "integer",
    min: 1,
    computedDefault: "calibrated; the usable cores shared by the lanes",
    unit: "threads",
    description: "threads of each lane",
  },
  maxBatchTokens: {
    flags: "--max-batch-tokens <n>",
    env: "RANKMILL_MAX_BATCH_TOKENS",
    type: "integer",
    min: 1,
    computedDefault: "calibrated",
    unit: "tokens",
    description: "rows × longest row of one batch; a longer pair runs alone",
  },
  maxBatchSize: {
    flags: "--max-batch-size <n>",
    env: "RANKMILL_MAX_BATCH_SIZE",
    type: "integer",
    min: 1,
    computedDefault: "calibrated; 1 where a score would depend on its batch-mates",
    unit: "pairs",
    description: "rows of one batch; a dynamically quantised model (int8) runs one row at a time",
  },
  memoryLimitBytes: {
    flags: "--memory-limit-bytes <n>",
    env: "RANKMILL_MEMORY_LIMIT_BYTES",
    type: "integer",
    min: 1,
    computedDefault: "the container's limit, else what the host has free",
    unit: "bytes",
    description: "memory of the worker with all its lanes, which it never plans to exceed",
  },
  calibrationDir: {
    flags: "--calibration-dir <dir>",
    env: "RANKMILL_CALIBRATION_DIR",
    type: "string",
    computedDefault: "~/.cache/rankmill/calibration",
    description: "folder of what was measured of each model on this host",
  },
  calibrate: {
    flags: "--no-calibrate",
    type: "flag",
    description: "measure nothing: one thread a lane, single pairs, and cautious guesses of memory",
  },
  concurrency: {
    flags: "--concurrency <n>",
    env: "RANKMILL_CONCURRENCY",
    type: "integer",
    min: 1,
    default: 64,
    unit: "jobs",
    description: "jobs that a worker holds at once from each queue",
  },
  scoreCacheBytes: {
    flags: "--score-cache-bytes <n>",
    env: "RANKMILL_SCORE_CACHE_BYTES",
    type: "integer",
    min: 0,
    default: 0,
    unit: "bytes",
    description: "of Redis, for this model's scores, found again by all of its workers; 0 is none",
  },
  tokenizer: {
    flags: "--tokenizer <implementation>",
    env: "RANKMILL_TOKENIZER",
    type: "choice",
    choices: ["auto", "rankmill", "tokenizers", "transformers"],
    default: "auto",
    description:
      "auto: our own for XLM-R's kind, else the tokenizers package, else @huggingface/transformers",
  },
  windowJobs: {
    flags: "--window-jobs <n>",
    env: "RANKMILL_WINDOW_JOBS",
    type: "integer",
    min: 1,
    default: DEFAULT_WINDOW.maxJobs,
    unit: "jobs",
    description:
      "most jobs of one run in Redis at once; how many there are follows the workers' speed",
  },
  windowBytes: {
    flags: "--window-bytes <n>",
    env: "RANKMILL_WINDOW_BYTES",
    type: "integer",
    min: 1,
    default: DEFAULT_WINDOW.maxBytes,
    unit: "bytes",
    description: "most bytes of requests of one run in Redis at once",
  },
  maxDocuments: {
    flags: "--max-documents <n>",
    env: "RANKMILL_MAX_DOCUMENTS",
    type: "integer",
    min: 1,
    default: DEFAULT_LIMITS.maxDocuments,
    unit: "documents",
    description: "documents in one record",
  },
  maxQueryChars: {
    flags: "--max-query-chars <n>",
    env: "RANKMILL_MAX_QUERY_CHARS",
    type: "integer",
    min: 1,
    default: DEFAULT_LIMITS.maxQueryChars,
    unit: "characters",
    description: "length of a query",
  },
  maxDocumentChars: {
    flags: "--max-document-chars <n>",
    env: "RANKMILL_MAX_DOCUMENT_CHARS",
    type: "integer",
    min: 1,
    default: DEFAULT_LIMITS.maxDocumentChars,
    unit: "characters",
    description: "length of one document",
  },
  maxJobBytes: {
    flags: "--max-job-bytes <n>",
    env: "RANKMILL_MAX_JOB_BYTES",
    type: "integer",
    min: 1,
    default: DEFAULT_LIMITS.maxJobBytes,
    unit: "bytes",
    description: "size of one record as JSON",
  },
  runTtl: {
    flags: "--run-ttl <n>",
    env: "RANKMILL_RUN_TTL",
    type: "integer",
    min: 60,
    default: 604_800,
    unit: "seconds",
    description: "how long Redis keeps a submitted run and its rankings",
  },
  export: {
    flags: "--export <file>",
    type: "string",
    description:
      "write the failed records as they were given, to submit again; - is standard output",
  },
  spool: {
    flags: "--spool <dir|url>",
    env: "RANKMILL_SPOOL",
    type: "string",
    description:
      "folder, or s3://bucket/prefix, that submitters and runners share; it holds runs, Redis their window",
  },
  maxRuns: {
    flags: "--max-runs <n>",
    env: "RANKMILL_MAX_RUNS",
    type: "integer",
    min: 1,
    default: 4,
    unit: "runs",
    description: "runs that one runner owns at once",
  },
  runId: {
    flags: "--run <id>",
    type: "string",
    computedDefault: "made from input and settings",
    description: "name of the run",
  },
  drainTimeout: {
    flags: "--drain-timeout <n>",
    env: "RANKMILL_DRAIN_TIMEOUT",
    type: "integer",
    min: 0,
    default: 25,
    unit: "seconds",
    description: "at shutdown, time for the jobs in hand; what is left goes back to the queue",
  },
  healthFile: {
    flags: "--health-file <file>",
    env: "RANKMILL_HEALTH_FILE",
    type: "string",
    computedDefault: "none",
    description: "file in which the process says every 5 s whether it is of use",
  },
  metricsPort: {
    flags: "--metrics-port <n>",
    env: "RANKMILL_METRICS_PORT",
    type: "integer",
    min: 0,
    max: 65_535,
    computedDefault: "none; 9464 in the image",
    description: "serve /metrics, /healthz and /readyz on this port; 0 takes any that is free",
  },
  metricsHost: {
    flags: "--metrics-host <address>",
    env: "RANKMILL_METRICS_HOST",
    type: "string",
    default: "127.0.0.1",
    description: "address of the metrics port; they ask for no password",
  },
  dashboardPort: {
    flags: "--dashboard-port <n>",
    env: "RANKMILL_DASHBOARD_PORT",
    type: "integer",
    min: 0,
    max: 65_535,
    default: 9_465,
    description: "port of the dashboard; 0 takes any that is free",
  },
  dashboardHost: {
    flags: "--dashboard-host <address>",
    env: "RANKMILL_DASHBOARD_HOST",
    type: "string",
    default: "127.0.0.1",
    description:
      "address of the dashboard; any but the loopback asks for RANKMILL_DASHBOARD_PASSWORD",
  },
  allowActions: {
    flags: "--allow-actions",
    type: "flag",
    description: "let those who see the dashboard retry, remove and pause",
  },
  revision: {
    flags: "--revision <revision>",
    type: "string",
    computedDefault: "the pinned one",
    description: "branch, tag or commit of the hub repository",
  },
  acceptLicence: {
    flags: "--accept-licence",
    type: "flag",
    description: "you have read the model's non-commercial licence and accept it",
  },
  repin: {
    flags: "--repin",
    type: "flag",
    description: "replace this model's pins by what the hub has now",
  },
  offline: { flags: "--offline", type: "flag", description: "open no socket" },
  hubEndpoint: {
    flags: "--hub-endpoint <url>",
    env: "HF_ENDPOINT",
    type: "string",
    computedDefault: "https://huggingface.co",
    description: "hub or mirror",
  },
  hubToken: {
    flags: "--hub-token <token>",
    env: "HF_TOKEN",
    type: "string",
    description: "access token for gated models",
  },
  forceNew: {
    flags: "--force-new",
    type: "flag",
    description: "delete what an earlier run left at the output and start over",
  },
  force: {
    flags: "--force",
    type: "flag",
    description: "cancel the run first where it is under way",
  },
  json: { flags: "--json", type: "flag", description: "print figures as JSON" },
  watch: {
    flags: "--watch",
    type: "flag",
    description: "show progress until the run is over, then print",
  },
  wait: { flags: "--wait", type: "flag", description: "wait until the run is over" },
  logLevel: {
    flags: "--log-level <level>",
    env: "RANKMILL_LOG_LEVEL",
    type: "choice",
    choices: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    computedDefault: "info for worker, warn elsewhere",
    description: "structured logs, one JSON object a line",
  },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof OPTIONS;

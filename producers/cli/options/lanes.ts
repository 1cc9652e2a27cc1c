import type { GroupValues, OptionGroup } from "./option-spec.js";

/** The inference processes of a worker, their batches, and the memory they may use. */
export const LANES = {
  title: "Lanes and memory",
  options: {
    lanes: {
      flags: "--lanes <n>",
      env: "RANKMILL_LANES",
      type: "integer",
      min: 1,
      computedDefault: "measured; at most one per usable core, and as many as memory holds",
      unit: "processes",
      description: "inference processes",
    },
    threads: {
      flags: "--threads <n>",
      env: "RANKMILL_THREADS",
      type: "integer",
      min: 1,
      computedDefault: "measured; the usable cores shared by the lanes",
      unit: "threads",
      description: "threads per lane",
    },
    maxBatchTokens: {
      flags: "--max-batch-tokens <n>",
      env: "RANKMILL_MAX_BATCH_TOKENS",
      type: "integer",
      min: 1,
      computedDefault: "measured",
      unit: "tokens",
      description: "size of a batch: its rows times its longest row; a longer pair runs alone",
    },
    maxBatchSize: {
      flags: "--max-batch-size <n>",
      env: "RANKMILL_MAX_BATCH_SIZE",
      type: "integer",
      min: 1,
      computedDefault:
        "measured; 1 if a score would depend on the rest of its batch, as with the int8 file's own form",
      unit: "pairs",
      description: "rows of a batch",
    },
    memoryLimitBytes: {
      flags: "--memory-limit-bytes <n>",
      env: "RANKMILL_MEMORY_LIMIT_BYTES",
      type: "integer",
      min: 1,
      computedDefault: "the container's limit, else the host's free memory",
      unit: "bytes",
      description: "memory that the worker and its lanes may use together",
    },
    tokenCacheBytes: {
      flags: "--token-cache-bytes <n>",
      env: "RANKMILL_TOKEN_CACHE_BYTES",
      type: "integer",
      min: 0,
      default: 33_554_432,
      unit: "bytes",
      description: "worker memory for tokens of texts that come again; 0 disables the cache",
    },
    calibrationDir: {
      flags: "--calibration-dir <dir>",
      env: "RANKMILL_CALIBRATION_DIR",
      type: "text",
      computedDefault: "~/.cache/rankmill/calibration",
      description: "folder for measurements of models on this host",
    },
    calibrate: {
      flags: "--no-calibrate",
      type: "flag",
      description:
        "skip the measurements: one thread per lane, one pair per batch, cautious guesses of memory",
    },
  },
} as const satisfies OptionGroup;

export type LaneValues = GroupValues<typeof LANES>;

import type { RunInfo } from "../../redis/run-info.js";
import type { RunSummary } from "./run.js";

/** A run's record in Redis in the shape that others see. */
export function summaryOf(id: string, info: RunInfo): RunSummary {
  const { maxLength, truncation, longDocuments, overlapTokens, maxWindows } = info;
  const { maxTokensPerDoc, score, instruction, state, input, total, ttlSeconds, createdAt } = info;
  return {
    id,
    place: info.spooled === "yes" ? "spool" : "redis",
    state,
    model: {
      name: info.model,
      revision: info.revision,
      precision: info.precision,
      ...(info.form !== undefined && { form: info.form }),
    },
    scoring: {
      maxLength,
      truncation,
      longDocuments,
      overlapTokens,
      maxWindows,
      maxTokensPerDoc,
      score,
      ...(instruction !== undefined && { instruction }),
    },
    input,
    total,
    ttlSeconds,
    createdAt,
  };
}

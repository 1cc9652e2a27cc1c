import { z } from "zod";
import { BATCH_ENDPOINTS, batchFileId, isExpired } from "../../../src/app/tenants/batch-facts.js";
import type { OwnedBatch } from "../../../src/app/tenants/owned-batches.js";
import type { RunState } from "../../../src/runs/run-status.js";
import { named } from "../openapi/named.js";
import { count, pageOf, time } from "./common.js";
import { seconds } from "./file.js";

const timeOrNull = time.nullable();

export const batchSchema = named(
  "Batch",
  z.object({
    id: z.string(),
    object: z.literal("batch"),
    endpoint: z.enum(BATCH_ENDPOINTS),
    model: z.string(),
    errors: z
      .object({
        object: z.literal("list"),
        data: z.array(
          z.object({ code: z.string(), message: z.string(), param: z.null(), line: z.null() }),
        ),
      })
      .nullable(),
    input_file_id: z.string(),
    completion_window: z.string(),
    status: z.enum(["validating", "in_progress", "completed", "cancelled", "failed", "expired"]),
    output_file_id: z.string().nullable().describe("The answers, once the batch is over."),
    error_file_id: z.string().nullable().describe("The requests that failed."),
    created_at: time,
    in_progress_at: time,
    expires_at: timeOrNull.describe("The end of its time, if the operator bounds it."),
    finalizing_at: timeOrNull,
    completed_at: timeOrNull,
    failed_at: timeOrNull,
    expired_at: timeOrNull,
    cancelling_at: timeOrNull,
    cancelled_at: timeOrNull,
    request_counts: z.object({ total: count, completed: count, failed: count }),
    metadata: z.record(z.string(), z.string()).nullable(),
  }),
);

export const batchPage = named("BatchPage", pageOf(batchSchema));

type BatchObject = z.infer<typeof batchSchema>;

const STATUS = {
  submitting: "validating",
  submitted: "in_progress",
  complete: "completed",
  cancelled: "cancelled",
  failed: "failed",
} as const satisfies Record<RunState, BatchObject["status"]>;

export function batchObject(batch: OwnedBatch): BatchObject {
  const { id, facts, info, status } = batch;
  const { state, over, total, counts } = status;
  const createdAt = seconds(Date.parse(info.createdAt));
  const expired = state === "cancelled" && isExpired(facts);
  const endedAt = facts.endedAtMs === undefined ? null : seconds(facts.endedAtMs);
  return {
    id,
    object: "batch",
    endpoint: facts.endpoint,
    model: info.model,
    errors: state === "failed" ? GAVE_UP : null,
    input_file_id: facts.inputFileId,
    completion_window: facts.completionWindow,
    status: expired ? "expired" : over && state === "submitted" ? "completed" : STATUS[state],
    output_file_id: over && counts.done > 0 ? batchFileId(id, "output") : null,
    error_file_id: over && counts.failed > 0 ? batchFileId(id, "errors") : null,
    created_at: createdAt,
    in_progress_at: createdAt,
    expires_at: facts.expiresAtMs === undefined ? null : seconds(facts.expiresAtMs),
    finalizing_at: endedAt,
    completed_at: state === "complete" ? endedAt : null,
    failed_at: state === "failed" ? endedAt : null,
    expired_at: expired ? endedAt : null,
    cancelling_at: state === "cancelled" && !expired ? endedAt : null,
    cancelled_at: state === "cancelled" && !expired ? endedAt : null,
    request_counts: { total, completed: counts.done, failed: counts.failed },
    metadata: facts.metadata,
  };
}

const GAVE_UP: BatchObject["errors"] = {
  object: "list",
  data: [
    {
      code: "runner_gave_up",
      message: "the runner gave the batch up: its operator sees why",
      param: null,
      line: null,
    },
  ],
};

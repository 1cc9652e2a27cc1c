import { z } from "zod";
import { tryStored } from "../../core/stored-json.js";
import type { RunInfo } from "../../redis/run-info.js";

/** The routes whose requests a batch may hold. */
export const BATCH_ENDPOINTS = ["/v1/rerank", "/v1/score"] as const;
export type BatchEndpoint = (typeof BATCH_ENDPOINTS)[number];

const factsSchema = z.object({
  endpoint: z.enum(BATCH_ENDPOINTS),
  inputFileId: z.string(),
  completionWindow: z.string(),
  metadata: z.record(z.string(), z.string()).nullable(),
  /** When somebody first saw that it was over, milliseconds since 1970. */
  endedAtMs: z.number().exactOptional(),
  /** The end of its time, milliseconds since 1970; absent: it has as long as it takes. */
  expiresAtMs: z.number().exactOptional(),
});

/** The facts of a batch beside those of its run. */
export type BatchFacts = Readonly<z.infer<typeof factsSchema>>;

/** @returns undefined for a run that is no batch */
export function batchFactsOf({ batch }: Pick<RunInfo, "batch">): BatchFacts | undefined {
  return batch === "" ? undefined : tryStored(factsSchema, batch);
}

/**
 * Whether a batch that was stopped was so since its time was over: who stops one earlier notes its end at once. No fact of its
 * own says it, since several gateways may find the end at the same time.
 */
export function isExpired({ endedAtMs = 0, expiresAtMs = Infinity }: BatchFacts): boolean {
  return endedAtMs >= expiresAtMs;
}

const RUN = /^run-([0-9a-f-]{32,36})$/;

/** The id of the batch whose records a run ranks. */
export function batchIdOf(run: string): string {
  return `batch_${RUN.exec(run)?.[1] ?? ""}`;
}

/** The run of a batch; undefined for what is no batch's id. */
export function runOfBatch(batch: string): string | undefined {
  const id = /^batch_([0-9a-f-]{32,36})$/.exec(batch)?.[1];
  return id === undefined ? undefined : `run-${id}`;
}

/** The two files that a batch gives: its answers, and its failures. */
export type BatchFileKind = "output" | "errors";

export function batchFileId(batch: string, kind: BatchFileKind): string {
  return `file-${kind}-${batch.slice("batch_".length)}`;
}

/** The batch that a file belongs to; undefined for a file that was uploaded. */
export function batchOfFile(
  file: string,
): { readonly batch: string; readonly kind: BatchFileKind } | undefined {
  const [, kind, id = ""] = /^file-(output|errors)-([0-9a-f-]{32,36})$/.exec(file) ?? [];
  if (kind !== "output" && kind !== "errors") return undefined;
  return { batch: `batch_${id}`, kind };
}

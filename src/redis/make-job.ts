import { hash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { toWireRequest, type RerankRequest } from "../core/contract.js";
import type { NewJob, ScoringOptions } from "../core/job.js";
import type { Priority } from "../core/priority.js";
import { resolveScoring } from "../core/scoring.js";

/** Above this a request leaves the job for a key of its own, so that BullMQ's lists stay light. */
export const INLINE_PAYLOAD_BYTES = 32_768;

/** Results and payloads of jobs whose owner vanished are gone after a day. */
export const DEFAULT_RESULT_TTL_SECONDS = 86_400;

const JOB_ID_CHARS = 40;
/** Speed before size: the payload lives for minutes. */
const GZIP_LEVEL = 1;

const gzipAsync = promisify(gzip);
const gunzipAsync = promisify(gunzip);

/**
 * The job that asks for `request` under `options`. Its id is a hash of both, so that the same
 * request is the same job whoever sends it; it starts with a letter because BullMQ refuses ids
 * that are all digits.
 *
 * @throws RankmillError as `completeScoring`
 */
export function makeJob(
  request: RerankRequest,
  options: ScoringOptions,
  settings: { readonly priority: Priority; readonly ttlSeconds?: number },
): NewJob {
  const scoring = resolveScoring(options);
  const payload = JSON.stringify(toWireRequest(request));
  const bytes = Buffer.byteLength(payload);
  const digest = hash("sha256", `${JSON.stringify(scoring)}\n${payload}`);
  const inline = bytes <= INLINE_PAYLOAD_BYTES;
  return {
    jobId: `r${digest.slice(0, JOB_ID_CHARS)}`,
    priority: settings.priority,
    envelope: {
      v: 1,
      options: scoring,
      bytes,
      pairs: request.documents.length,
      ttlSeconds: settings.ttlSeconds ?? DEFAULT_RESULT_TTL_SECONDS,
      ...(inline ? { request: payload } : {}),
    },
    ...(inline ? {} : { payload }),
  };
}

/** Compresses off the event loop. */
export function packPayload(text: string): Promise<Buffer> {
  return gzipAsync(text, { level: GZIP_LEVEL });
}

/** @param maxBytes more than this after decompression is refused: a payload is not trusted */
export async function unpackPayload(packed: Buffer, maxBytes: number): Promise<string> {
  return (await gunzipAsync(packed, { maxOutputLength: maxBytes })).toString("utf8");
}

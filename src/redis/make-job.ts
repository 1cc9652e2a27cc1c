import { hash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { toWireRequest, type RerankRequest } from "../core/contract.js";
import { RankmillError } from "../core/errors.js";
import type { NewJob, ScoringOptions } from "../core/job.js";
import type { Priority } from "../core/priority.js";
import { resolveScoring } from "../core/scoring.js";
import { option, wording } from "../core/wording.js";

/** Above this a request leaves the job for a key of its own, so that BullMQ's lists stay light. */
export const INLINE_PAYLOAD_BYTES = 32_768;

/** Results and payloads of jobs whose owner vanished are gone after a day. */
export const DEFAULT_RESULT_TTL_SECONDS = 86_400;

/** Ten years. */
const MAX_RESULT_TTL_SECONDS = 315_360_000;

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
  settings: {
    readonly priority: Priority;
    readonly ttlSeconds?: number;
    readonly requestId?: string;
  },
): NewJob {
  const scoring = resolveScoring(options);
  const ttlSeconds = settings.ttlSeconds ?? DEFAULT_RESULT_TTL_SECONDS;
  checkTtl(ttlSeconds);
  const payload = JSON.stringify(toWireRequest(request));
  const bytes = Buffer.byteLength(payload);
  const digest = hash("sha256", `${JSON.stringify(scoring)}\n${payload}`);
  const inline = bytes <= INLINE_PAYLOAD_BYTES;
  return {
    jobId: `r${digest.slice(0, JOB_ID_CHARS)}`,
    priority: settings.priority,
    envelope: {
      v: scoring.instruction === undefined ? 1 : 2,
      options: scoring,
      bytes,
      pairs: request.documents.length,
      ttlSeconds,
      ...(inline ? { request: payload } : {}),
      ...(settings.requestId === undefined ? {} : { requestId: settings.requestId }),
    },
    ...(inline ? {} : { payload }),
  };
}

/** @throws RankmillError `invalid_field` or `limit_exceeded`: Redis refuses any other time */
function checkTtl(value: number): void {
  const field = "resultTtlSeconds";
  if (!Number.isSafeInteger(value) || value < 1) {
    const message = wording`${option(field)}: is ${String(value)}, not a whole number of seconds of at least 1`;
    throw new RankmillError("invalid_field", message, { field });
  }
  if (value <= MAX_RESULT_TTL_SECONDS) return;
  throw new RankmillError(
    "limit_exceeded",
    wording`${option(field)}: is ${value} seconds, over the limit of ${MAX_RESULT_TTL_SECONDS}`,
    { field, limit: { name: field, value, max: MAX_RESULT_TTL_SECONDS, unit: "seconds" } },
  );
}

/** Compresses off the event loop. */
export function packPayload(text: string): Promise<Buffer> {
  return gzipAsync(text, { level: GZIP_LEVEL });
}

/** @param maxBytes more than this after decompression is refused: a payload is not trusted */
export async function unpackPayload(packed: Buffer, maxBytes: number): Promise<string> {
  return (await gunzipAsync(packed, { maxOutputLength: maxBytes })).toString("utf8");
}

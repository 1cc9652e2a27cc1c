/** The statuses of errors, each with its meaning and an error that has it. */
import type { ErrorCode } from "../../../src/core/errors.js";
import type { AnswerHeaderName } from "./headers.js";

export interface ProblemStatus {
  readonly description: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly field?: string;
  readonly headers?: readonly AnswerHeaderName[];
}

export const PROBLEMS: Readonly<Record<number, ProblemStatus>> = {
  400: {
    description: "The body is not JSON, is damaged, or was cut short.",
    code: "invalid_json",
    message: "the body is not JSON",
  },
  401: {
    description: "No key came, or one that is not known, was revoked or has expired.",
    code: "access_denied",
    message: "an API key is needed: Authorization: Bearer KEY, X-API-Key or api-key",
    headers: ["WWW-Authenticate"],
  },
  403: {
    description: "The key lacks the right, or the name in `Host` is not the gateway's.",
    code: "access_denied",
    message: "the API key lacks the right rerank",
  },
  404: {
    description:
      "There is no such thing, or it belongs to another key; no worker serves the model.",
    code: "model_not_found",
    message: 'no worker serves the model "other"; served are: ms-marco-MiniLM-L6-v2',
    field: "model",
  },
  409: {
    description:
      "A request with the same `Idempotency-Key` is under way, or the thing is in a state that forbids it.",
    code: "conflict",
    message: "the first request with this Idempotency-Key is under way: wait for it",
    headers: ["Retry-After"],
  },
  410: {
    description: "The ranking was there, and its time is over.",
    code: "result_expired",
    message: "the ranking has expired",
  },
  413: {
    description: "The body, or a document with its query, has too many bytes.",
    code: "limit_exceeded",
    message: "the body has more than 67108864 bytes (maxBodyBytes)",
  },
  415: {
    description: "`Content-Encoding` other than gzip, deflate and br, or a body of another type.",
    code: "invalid_field",
    message: "Content-Encoding: gzip, deflate, br or none",
  },
  422: {
    description: "A field is wrong or over a limit, or no document could be scored.",
    code: "invalid_field",
    message: "documents: is missing (array expected)",
    field: "documents",
  },
  429: {
    description: "The key is over a limit, or the requests before this one would take too long.",
    code: "limit_exceeded",
    message:
      "the requests before this one take ms-marco-MiniLM-L6-v2 about 40 s, and this one waits 25 s",
    headers: ["Retry-After"],
  },
  500: {
    description: "Something broke. The log says what, under the request's id.",
    code: "internal",
    message: "the gateway or a worker failed (internal): the log says why",
  },
  501: {
    description: "The gateway was not started for this: it has no `--spool`.",
    code: "missing_dependency",
    message: "files and batches need a spool: start the gateway with --spool",
  },
  503: {
    description: "Redis is away, or too many clients wait. Ask again.",
    code: "redis_unavailable",
    message: "the queue is not available at present: try again",
    headers: ["Retry-After"],
  },
  504: {
    description: "There was no ranking in time. The work goes on: `job` says where to ask.",
    code: "timeout",
    message: "no ranking after 25000 ms; the work goes on",
    headers: ["Location", "Preference-Applied"],
  },
};

/** Every route that asks for a key may answer so. */
export const OF_ALL = [401, 403, 429, 500, 503];
/** Every route that reads JSON may answer so. */
export const OF_JSON = [400, 413, 415, 422];

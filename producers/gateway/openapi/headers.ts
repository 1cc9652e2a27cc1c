/** Headers of requests and answers, each described once. */
import { MAX_WAIT_SECONDS } from "../deadline.js";

interface Header {
  readonly description: string;
  readonly example: string;
}

/** Headers that a request may have. */
export const REQUEST_HEADERS = {
  Prefer: {
    description: `\`wait=N\`: seconds to wait for the ranking, at most ${MAX_WAIT_SECONDS}; \`--deadline\` without it.`,
    example: "wait=60",
  },
  "Idempotency-Key": {
    description:
      "A name of 1 to 255 printable characters: for a day the same request under the same name is done once, and gets the same answer.",
    example: "nightly-2026-11-29",
  },
  "X-Request-Id": {
    description:
      "Up to 128 letters, digits and `_.:-`. It comes back, and stands in the logs of gateway and worker.",
    example: "trace-7f3a",
  },
  traceparent: {
    description:
      "The client's span, as W3C's Trace Context has it: the spans of the request and of its jobs go on from it, if the gateway is traced.",
    example: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  },
} as const satisfies Record<string, Header>;

/** Headers that an answer may have. */
export const ANSWER_HEADERS = {
  "X-Request-Id": { description: "The client's own id, or a new one.", example: "trace-7f3a" },
  "X-Rankmill-Warnings": {
    description: "Things that the client should know: ignored fields, documents that were cut.",
    example: "ignored field: user",
  },
  "Preference-Applied": { description: "The `Prefer` that was followed.", example: "wait=60" },
  Location: { description: "The path of what was made.", example: "/v1/runs/RUN" },
  "Idempotency-Replayed": {
    description: "`true`: the answer is that of an earlier, equal request.",
    example: "true",
  },
  "Retry-After": { description: "Seconds after which to ask again.", example: "1" },
  "WWW-Authenticate": { description: "The way to name a key.", example: "Bearer" },
  "Rankmill-Run-State": { description: "The state of the run.", example: "submitted" },
  "Rankmill-Run-Over": {
    description: "`true`: there will be no more lines.",
    example: "false",
  },
  "Content-Disposition": {
    description: "A file is saved, and never shown as a page.",
    example: "attachment",
  },
} as const satisfies Record<string, Header>;

export type RequestHeaderName = keyof typeof REQUEST_HEADERS;
export type AnswerHeaderName = keyof typeof ANSWER_HEADERS;

import { z } from "zod";
import { ranking } from "../../answers/job.js";
import {
  type listedRun,
  retriedRun,
  runPage,
  type runProgress,
  runReport,
  stoppedRun,
  submittedRun,
} from "../../answers/run.js";
import { failureSchema } from "../../../../src/core/record.js";
import { eventsSchema } from "../../routes/events.js";
import {
  linesSchema,
  purgeSchema,
  runBodySchema,
  runPageSchema,
  runQuerySchema,
} from "../../run-fields.js";
import { EXAMPLE_IDS, EXAMPLE_MODEL, EXAMPLE_RANKING, EXAMPLE_RECORDS } from "../examples.js";
import { jsonAnswer } from "../json-answer.js";
import { named } from "../named.js";
import type { Answer, Operation, PathParameter } from "../operation.js";
import { OF_ALL, OF_JSON } from "../problems.js";

const RUN: PathParameter = {
  name: "id",
  description: "The id of a run of the same key.",
  example: EXAMPLE_IDS.run,
};
const HEAD = { id: RUN.example, object: "run" };
const OF_A_RUN = { group: "Runs", pathParameter: RUN } as const;
const LISTED: z.input<typeof listedRun> = {
  id: RUN.example,
  object: "run",
  state: "submitted",
  spooled: false,
  model: EXAMPLE_MODEL,
  input: "a request's body",
  total: 2,
  created_at: "2026-11-29T08:00:00.000Z",
};

const PROGRESS: z.input<typeof runProgress> = {
  id: RUN.example,
  object: "run",
  state: "submitted",
  over: true,
  total: 2,
  done: 2,
  failed: 0,
  waiting: 0,
  active: 0,
  pairs: 4,
  tokens: 38,
};

const REPORT: z.input<typeof runReport> = {
  run: RUN.example,
  state: "submitted",
  problem: null,
  spooled: false,
  owner: null,
  total: 2,
  done: 2,
  failed: 0,
  waiting: 0,
  active: 0,
  failed_by_code: {},
  failed_pairs: 0,
  pairs: 4,
  tokens: 38,
  truncated: 0,
  speed: null,
  eta_seconds: 0,
  oldest_waiting_seconds: null,
  workers: [],
  lanes: 0,
  redis_bytes: 4_096,
  model: EXAMPLE_MODEL,
  queues: [],
  input: "a request's body",
  created_at: "2026-11-29T08:00:00.000Z",
};

const FAILURE = {
  line: 2,
  id: "q2",
  code: "invalid_field",
  reason: "documents: is missing (array expected)",
  input: { id: "q2", query: "where do boats go?" },
};

const submitRun: Operation = {
  method: "post",
  path: "/v1/runs",
  id: "submitRun",
  group: "Runs",
  summary: "Ranks many records",
  description:
    "The body is the records themselves, plain or packed with gzip or zstd, of any shape that `rankmill run` reads, with the settings in the URL; or JSON that names an uploaded file, with the settings beside it.",
  scopes: ["runs"],
  headers: ["Idempotency-Key"],
  query: runQuerySchema,
  queryExample: { model: EXAMPLE_MODEL, top_n: "10" },
  bodies: [
    {
      type: "application/x-ndjson",
      schemas: [z.string()],
      description: "A record per line. It is read as a stream.",
      examples: [{ summary: "Two records", value: EXAMPLE_RECORDS }],
    },
    {
      type: "application/json",
      schemas: [named("NewRun", runBodySchema)],
      examples: [
        {
          summary: "A file that was uploaded",
          value: { file: EXAMPLE_IDS.file, model: EXAMPLE_MODEL, top_n: 10 },
        },
      ],
    },
  ],
  answers: [
    {
      ...jsonAnswer(202, "The run.", submittedRun, {
        ...HEAD,
        state: "submitted",
        total: 2,
        url: `/v1/runs/${RUN.example}`,
        warnings: [],
      }),
      headers: ["Location", "Idempotency-Replayed"],
    },
  ],
  problems: [...OF_ALL, ...OF_JSON, 404, 409, 501],
};

export const runOperations: readonly Operation[] = [
  submitRun,
  {
    method: "get",
    path: "/v1/runs",
    id: "listRuns",
    group: "Runs",
    summary: "The newest runs of the key",
    scopes: ["read", "runs"],
    query: runPageSchema,
    queryExample: { limit: "20" },
    answers: [
      jsonAnswer(200, "A page of runs.", runPage, {
        object: "list",
        data: [LISTED],
        has_more: false,
        last_id: RUN.example,
      }),
    ],
    problems: [...OF_ALL, 404, 422],
  },
  {
    ...OF_A_RUN,
    method: "get",
    path: "/v1/runs/:id",
    id: "getRun",
    summary: "How a run stands, as `rankmill status --json` says it",
    description: "Its speed is there from the second question within a minute on.",
    scopes: ["read", "runs"],
    answers: [jsonAnswer(200, "The run.", runReport, REPORT)],
    problems: [...OF_ALL, 404],
  },
  {
    ...OF_A_RUN,
    method: "get",
    path: "/v1/runs/:id/rankings",
    id: "getRankings",
    summary: "The rankings that there are by now",
    description: "The lines keep their order: a reader that has N of them goes on with `after=N`.",
    scopes: ["read", "runs"],
    query: linesSchema,
    queryExample: { after: "0" },
    answers: [linesOf("A ranking per line.", ranking, EXAMPLE_RANKING)],
    problems: [...OF_ALL, 404, 422],
  },
  {
    ...OF_A_RUN,
    method: "get",
    path: "/v1/runs/:id/failures",
    id: "getFailures",
    summary: "The records that failed",
    scopes: ["read", "runs"],
    query: linesSchema,
    queryExample: { after: "0" },
    answers: [linesOf("A failure per line.", named("Failure", failureSchema), FAILURE)],
    problems: [...OF_ALL, 404, 422],
  },
  {
    ...OF_A_RUN,
    method: "post",
    path: "/v1/runs/:id/cancel",
    id: "cancelRun",
    summary: "Stops a run, and keeps its rankings",
    scopes: ["runs"],
    answers: [jsonAnswer(200, "The run.", stoppedRun, { ...HEAD, stopped: 1 })],
    problems: [...OF_ALL, 404, 409],
  },
  {
    ...OF_A_RUN,
    method: "post",
    path: "/v1/runs/:id/retry",
    id: "retryRun",
    summary: "Ranks what failed or was stopped",
    scopes: ["runs"],
    answers: [jsonAnswer(200, "The run.", retriedRun, { ...HEAD, retried: 1 })],
    problems: [...OF_ALL, 404, 409],
  },
  {
    ...OF_A_RUN,
    method: "delete",
    path: "/v1/runs/:id",
    id: "deleteRun",
    summary: "Removes a run with its rankings",
    scopes: ["runs"],
    query: purgeSchema,
    queryExample: { force: "true" },
    answers: [{ status: 204, description: "It is gone." }],
    problems: [...OF_ALL, 404, 409, 422],
  },
  {
    method: "get",
    path: "/v1/events",
    id: "watchRuns",
    group: "Runs",
    summary: "The progress of runs, as server-sent events",
    description:
      "An event `run` whenever a run moves on, with a RunProgress as its data; then `end`, once all are over.",
    scopes: ["read", "runs"],
    query: eventsSchema,
    queryExample: { run: RUN.example },
    answers: [
      {
        status: 200,
        description: "The events, until all runs are over.",
        ownHeaders: { "X-Accel-Buffering": "`no`: proxies pass each event on at once." },
        body: {
          type: "text/event-stream",
          schemas: [z.string()],
          examples: [
            {
              summary: "A run that is over",
              value: `event: run\ndata: ${JSON.stringify(PROGRESS)}\n\nevent: end\ndata: {}\n\n`,
            },
          ],
        },
      },
    ],
    problems: [...OF_ALL, 404, 422],
  },
];

function linesOf(description: string, schema: z.ZodType, example: unknown): Answer {
  return {
    status: 200,
    description,
    headers: ["Rankmill-Run-State", "Rankmill-Run-Over"],
    body: {
      type: "application/x-ndjson",
      schemas: [schema],
      description: "The schema is that of each line.",
      examples: [{ summary: "One line", value: `${JSON.stringify(example)}\n` }],
    },
  };
}

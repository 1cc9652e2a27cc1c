import { jobSchema } from "../../answers/job.js";
import { describedJobSchema, findJobSchema } from "../../job-fields.js";
import {
  EXAMPLE_DOCUMENTS,
  EXAMPLE_IDS,
  EXAMPLE_MODEL,
  EXAMPLE_QUERY,
  EXAMPLE_RANKING,
} from "../examples.js";
import { jsonAnswer } from "../json-answer.js";
import { named } from "../named.js";
import type { Operation, PathParameter } from "../operation.js";
import { OF_ALL, OF_JSON } from "../problems.js";

const JOB: PathParameter = {
  name: "id",
  description: "The id of a job of the same key.",
  example: EXAMPLE_IDS.job,
};
const HEAD = { id: JOB.example, object: "job", url: `/v1/jobs/${JOB.example}` };
const QUESTION = { model: EXAMPLE_MODEL, query: EXAMPLE_QUERY, documents: EXAMPLE_DOCUMENTS };

export const jobOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/jobs",
    id: "submitJob",
    group: "Jobs",
    summary: "Ranks one list, and does not wait for it",
    description: "An equal job is joined; it is `done` at once if it was done before.",
    scopes: ["rerank"],
    headers: ["Idempotency-Key"],
    bodies: [
      {
        type: "application/json",
        schemas: [named("NewJob", describedJobSchema)],
        examples: [
          { summary: "A job", value: { id: "q1", ...QUESTION } },
          {
            summary: "Behind all interactive jobs, with the best alone, kept for an hour",
            value: { ...QUESTION, priority: "bulk", top_n: 1, ttl_seconds: 3_600 },
          },
          {
            summary: "Long documents, read in windows",
            value: { ...QUESTION, long_documents: "windows", max_windows: 16, score: "logit" },
          },
        ],
      },
    ],
    answers: [
      {
        ...jsonAnswer(202, "The job.", jobSchema, { ...HEAD, status: "queued" }),
        headers: ["Location", "Idempotency-Replayed"],
      },
    ],
    problems: [...OF_ALL, ...OF_JSON, 404, 409],
  },
  {
    method: "get",
    path: "/v1/jobs/:id",
    id: "getJob",
    group: "Jobs",
    summary: "A job and its ranking",
    scopes: ["read", "rerank"],
    pathParameter: JOB,
    query: findJobSchema,
    queryExample: { wait: "20" },
    answers: [
      jsonAnswer(200, "The job, as it stands.", jobSchema, {
        ...HEAD,
        status: "done",
        ranking: EXAMPLE_RANKING,
      }),
    ],
    problems: [...OF_ALL, 404, 410, 422],
  },
  {
    method: "delete",
    path: "/v1/jobs/:id",
    id: "deleteJob",
    group: "Jobs",
    summary: "Stops a job, and takes its ranking away",
    description: "For another key that asked for the same it goes on.",
    scopes: ["rerank"],
    pathParameter: JOB,
    answers: [{ status: 204, description: "It is gone." }],
    problems: [...OF_ALL, 404],
  },
];

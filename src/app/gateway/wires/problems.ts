/** Errors in the forms that clients read; all that do not clash stand side by side. */
import { z } from "zod";
import type { Problem } from "../../../core/ports/wire.js";

const message = z.string().describe("The reason, for people. No stack, path or address.");
const code = z.string().describe("A stable name: `model_not_found`, `limit_exceeded`, …");
const requestId = z.string().describe("The request's id, also in `X-Request-Id` and in the log.");
const job = z.object({ id: z.string(), url: z.string() });

/** The jobs of a request that was too late for its answer. */
const lateJobs = {
  job: job.optional().describe("Of a 504: the job that goes on, and where its ranking will be."),
  jobs: z.array(job).optional().describe("All jobs, if the list was cut into several."),
};

export const objectProblemSchema = z
  .object({
    id: requestId,
    message,
    detail: z.string().describe("The same as `message`."),
    error: z.object({
      message: z.string(),
      type: z.enum([
        "authentication_error",
        "permission_error",
        "not_found_error",
        "rate_limit_error",
        "invalid_request_error",
        "server_error",
      ]),
      code,
      param: z.string().nullable().describe("The field that is wrong."),
    }),
    ...lateJobs,
  })
  .describe("An error as clients of Cohere, Jina, OpenAI, Together, vLLM and NVIDIA NIM read it.");

export const textProblemSchema = z
  .object({
    error: message,
    error_type: z.enum(["Overloaded", "Unhealthy", "Validation", "Backend"]),
    message: z.string().describe("The same as `error`."),
    id: requestId,
    code,
    ...lateJobs,
  })
  .describe("An error as clients of TEI, Weaviate and Elasticsearch read it.");

/** Cohere reads `message`, Jina and FastAPI `detail`, OpenAI and Together `error.message`. */
export function objectProblem(problem: Problem): Record<string, unknown> {
  const { id, message, code, status, field } = problem;
  const error = { message, type: errorType(status), code, param: field ?? null };
  return { id, message, detail: message, error };
}

/** Text Embeddings Inference and Weaviate read `error` as a text. */
export function textProblem({ id, message, status, code }: Problem): Record<string, unknown> {
  return { error: message, error_type: teiType(status), message, id, code };
}

function errorType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 404) return "not_found_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

function teiType(status: number): string {
  if (status === 429) return "Overloaded";
  if (status === 503) return "Unhealthy";
  return status < 500 ? "Validation" : "Backend";
}

/** Errors in the forms that clients read; all that do not clash stand side by side. */
import type { Problem } from "../../../core/ports/wire.js";

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

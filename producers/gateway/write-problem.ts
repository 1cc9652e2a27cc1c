import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Problem } from "../../src/core/ports/wire.js";
import { objectProblem } from "../../src/app/gateway/wires/problems.js";
import type { GatewayEnv } from "./env.js";
import { showError } from "./problem.js";

/** Answers with an error, in the form that the client reads. What is not the client's fault is in the log. */
export function writeProblem(
  context: Context<GatewayEnv>,
  error: unknown,
  write: (problem: Problem) => Readonly<Record<string, unknown>> = objectProblem,
): Response {
  const shown = showError(error);
  const { status, code, message, field, jobIds } = shown;
  context.set("failure", error);
  for (const [name, value] of Object.entries(shown.headers)) context.header(name, value);
  const body = write({ id: context.get("requestId"), status, code, message, field });
  const jobs = jobIds.map((id) => ({ id, url: `/v1/jobs/${id}` }));
  const [first] = jobs;
  if (first !== undefined) context.header("Location", first.url);
  return context.json(
    jobs.length === 0 ? body : { ...body, job: first, jobs },
    status as ContentfulStatusCode,
  );
}

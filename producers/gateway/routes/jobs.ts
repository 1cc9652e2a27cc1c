/** The routes of jobs: rankings that are asked for later. */
import type { Context } from "hono";
import { metadataText } from "../../../src/core/record.js";
import { isObject } from "../../../src/inputs/formats/line-fields.js";
import { jobName, type PlacedJob } from "../../../src/redis/owned-jobs.js";
import type { OwnedJobState } from "../../../src/app/tenants/owned-jobs.js";
import type { GatewayEnv, GatewayParts, RouteModule } from "../env.js";
import { hangUpSignal } from "../hang-up.js";
import { findJobSchema, jobSchema, requestFields } from "../job-fields.js";
import { once } from "../once.js";
import { readQuery, withJson } from "../read-json.js";
import { requireScope } from "../rights.js";
import { scoringOf } from "../scoring-fields.js";

type JobContext = Context<GatewayEnv>;

export const jobRoutes: RouteModule = (app, parts) => {
  app.post("/v1/jobs", async (context) => await submit(context, parts));
  app.get("/v1/jobs/:id", async (context) => await show(context, parts));
  app.delete("/v1/jobs/:id", async (context) => {
    const caller = context.get("caller");
    requireScope(caller, "rerank");
    const { jobs } = parts.tenants;
    await jobs.remove(caller, await jobs.find(caller, context.req.param("id")));
    return context.body(null, 204);
  });
};

async function submit(context: JobContext, parts: GatewayParts): Promise<Response> {
  const caller = context.get("caller");
  requireScope(caller, "rerank");
  const { gateway, tenants } = parts;
  return await withJson(context, parts, jobSchema, async ({ value, bytes, text }) =>
    once(context, tenants.once, text, async () => {
      const { model: name, priority, ttl_seconds: ttlSeconds } = value;
      const { model } = await gateway.models.find(name);
      context.get("facts").model = model.name;
      const request = {
        ...unalteredMetadata(text, value),
        ...Object.fromEntries(Object.entries(value).filter(([field]) => field in requestFields)),
      };
      const requestId = context.get("requestId");
      const scoring = scoringOf(value);
      const own = { request, bytes, scoring, priority, ttlSeconds, requestId };
      const job = await tenants.jobs.submit(caller, model, own);
      const state = await tenants.jobs.state(caller, job);
      return { status: 202, location: urlOf(job), body: bodyOf(job, state) };
    }),
  );
}

/** The metadata as the body spells them, if a parser has altered them: a number beyond doubles, say. */
function unalteredMetadata(text: string, body: object): { readonly metadata_json?: string } {
  const { metadata } = body as { readonly metadata?: unknown };
  if (!isObject(metadata)) return {};
  const { metadataText: altered } = metadataText(text, body, { metadata });
  return altered === undefined ? {} : { metadata_json: altered };
}

async function show(
  context: JobContext,
  { gateway, tenants, waiting, stopping }: GatewayParts,
): Promise<Response> {
  const caller = context.get("caller");
  requireScope(caller, "read", "rerank");
  const { wait } = readQuery(context, findJobSchema);
  const job = await tenants.jobs.find(caller, context.req.param("id") ?? "");
  let state = await tenants.jobs.state(caller, job);
  if (state.status === "queued" && wait > 0) {
    const signal = hangUpSignal(context.env.outgoing, stopping);
    await waiting.admit(() => gateway.untilEnded(job, wait * 1_000, signal));
    state = await tenants.jobs.state(caller, job);
  }
  return context.body(bodyOf(job, state), 200, { "Content-Type": "application/json" });
}

function urlOf(job: PlacedJob): string {
  return `/v1/jobs/${jobName(job)}`;
}

/** A job as JSON; a ranking stands in it as the worker wrote it. */
function bodyOf(job: PlacedJob, state: OwnedJobState): string {
  const { status } = state;
  const head = { id: jobName(job), object: "job", status, url: urlOf(job) };
  if (status === "done") {
    return `${JSON.stringify(head).slice(0, -1)},"ranking":${state.line}}`;
  }
  if (status === "queued") return JSON.stringify(head);
  const { code, message } = state;
  return JSON.stringify({ ...head, error: { code, message } });
}

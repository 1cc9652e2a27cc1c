/** The routes of runs: files of records that workers rank in their own time. */
import type { Context } from "hono";
import type { OwnedRun } from "../../../src/app/tenants/owned-runs.js";
import { failureLines, rankingLines } from "../../../src/app/tenants/run-lines.js";
import type { GatewayEnv, GatewayParts, RouteModule } from "../env.js";
import { readQuery } from "../read-json.js";
import { requireScope } from "../rights.js";
import { runObject } from "../answers/run.js";
import { linesSchema, purgeSchema, runPageSchema } from "../run-fields.js";
import { streamLines } from "../stream-lines.js";
import { submitRun } from "../submit-run.js";

type RunContext = Context<GatewayEnv>;

export const runRoutes: RouteModule = (app, parts) => {
  const { runs } = parts.tenants;
  const open = async (context: RunContext, ...scopes: readonly ("runs" | "read")[]) => {
    const caller = context.get("caller");
    requireScope(caller, ...scopes);
    return await runs.open(caller, context.req.param("id") ?? "");
  };

  app.post("/v1/runs", async (context) => {
    requireScope(context.get("caller"), "runs");
    return await submitRun(context, parts);
  });
  app.get("/v1/runs", async (context) => await list(context, parts));
  app.get("/v1/runs/:id", async (context) => {
    const { run } = await open(context, "read", "runs");
    return context.json(await runs.report(context.get("caller"), run.id));
  });
  app.get("/v1/runs/:id/rankings", async (context) =>
    lines(context, parts, await open(context, "read", "runs"), rankingLines),
  );
  app.get("/v1/runs/:id/failures", async (context) =>
    lines(context, parts, await open(context, "read", "runs"), failureLines),
  );
  app.post("/v1/runs/:id/cancel", async (context) => {
    const { run } = await open(context, "runs");
    return context.json({ id: run.id, object: "run", stopped: await run.cancel() });
  });
  app.post("/v1/runs/:id/retry", async (context) => {
    const { run } = await open(context, "runs");
    return context.json({ id: run.id, object: "run", retried: await run.retry() });
  });
  app.delete("/v1/runs/:id", async (context) => {
    const { run } = await open(context, "runs");
    await run.purge({ force: readQuery(context, purgeSchema).force === "true" });
    return context.body(null, 204);
  });
};

async function list(context: RunContext, { tenants }: GatewayParts): Promise<Response> {
  const caller = context.get("caller");
  requireScope(caller, "read", "runs");
  const { after, limit } = readQuery(context, runPageSchema);
  const { runs, hasMore } = await tenants.runs.page(caller, after, limit);
  return context.json({
    object: "list",
    data: runs.map(([id, info]) => runObject(id, info)),
    has_more: hasMore,
    last_id: runs.at(-1)?.[0] ?? null,
  });
}

async function lines(
  context: RunContext,
  { slots }: GatewayParts,
  { run }: OwnedRun,
  read: typeof rankingLines,
): Promise<Response> {
  const { after } = readQuery(context, linesSchema);
  const { over, state } = await run.status();
  slots.take(context.get("caller").keyId, context.env.outgoing);
  // All there will be, or a part of it: whoever reads a part comes again.
  context.header("Rankmill-Run-State", state);
  context.header("Rankmill-Run-Over", String(over));
  context.header("Content-Type", "application/x-ndjson");
  return context.body(streamLines(read(run, after)) as ReadableStream);
}

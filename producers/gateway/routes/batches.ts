/** OpenAI's batches: the requests of an uploaded file, ranked in their own time. */
import type { RouteModule } from "../env.js";
import { batchObject } from "../answers/batch.js";
import { batchPageSchema, newBatchSchema } from "../file-fields.js";
import { once, onceKey } from "../once.js";
import { readQuery, withJson } from "../read-json.js";
import { requireScope } from "../rights.js";

export const batchRoutes: RouteModule = (app, parts) => {
  const { gateway, tenants } = parts;
  const find = async (name: string | undefined) => (await gateway.models.find(name)).model;
  app.use("/v1/batches/*", async (_, next) => {
    await tenants.files.check();
    await next();
  });
  app.post("/v1/batches", async (context) => {
    const caller = context.get("caller");
    requireScope(caller, "runs");
    return await withJson(context, parts, newBatchSchema, async ({ value, text }) =>
      once(context, tenants.once, text, async () => {
        const wanted = {
          endpoint: value.endpoint,
          inputFileId: value.input_file_id,
          completionWindow: value.completion_window,
          metadata: value.metadata ?? null,
          once: onceKey(context, text),
        };
        const batch = await tenants.batches.create(caller, wanted, find);
        const body = JSON.stringify(batchObject(batch));
        return { status: 200, location: `/v1/batches/${batch.id}`, body };
      }),
    );
  });
  app.get("/v1/batches", async (context) => {
    const caller = context.get("caller");
    requireScope(caller, "read", "runs");
    const { after, limit } = readQuery(context, batchPageSchema);
    const { batches, hasMore } = await tenants.batches.page(caller, after, limit);
    return context.json({
      object: "list",
      data: batches.map(batchObject),
      has_more: hasMore,
      first_id: batches[0]?.id ?? null,
      last_id: batches.at(-1)?.id ?? null,
    });
  });
  app.get("/v1/batches/:id", async (context) => {
    const caller = context.get("caller");
    requireScope(caller, "read", "runs");
    return context.json(batchObject(await tenants.batches.find(caller, context.req.param("id"))));
  });
  app.post("/v1/batches/:id/cancel", async (context) => {
    const caller = context.get("caller");
    requireScope(caller, "runs");
    const cancelled = await tenants.batches.cancel(caller, context.req.param("id"));
    return context.json(batchObject(cancelled));
  });
};

/** OpenAI's files: what batches read, and what they give. */
import type { Context } from "hono";
import { RankmillError } from "../../../src/core/errors.js";
import { batchOfFile } from "../../../src/app/tenants/batch-facts.js";
import { batchLines } from "../batch-lines.js";
import type { GatewayEnv, GatewayParts, RouteModule } from "../env.js";
import { fileObject, seconds, type FileObject } from "../answers/file.js";
import { filePageSchema } from "../file-fields.js";
import { readQuery } from "../read-json.js";
import { requireScope } from "../rights.js";
import { receiveFile } from "../receive-file.js";
import { streamBytes, streamLines } from "../stream-lines.js";

type FileContext = Context<GatewayEnv>;

export const fileRoutes: RouteModule = (app, parts) => {
  const { files } = parts.tenants;
  app.post("/v1/files", async (context) => {
    requireScope(context.get("caller"), "runs");
    return context.json(fileObject(await receiveFile(context, parts)));
  });
  app.get("/v1/files", async (context) => await list(context, parts));
  app.get("/v1/files/:id", async (context) => await show(context, parts));
  app.get("/v1/files/:id/content", async (context) => await content(context, parts));
  app.delete("/v1/files/:id", async (context) => {
    const caller = context.get("caller");
    requireScope(caller, "runs");
    const id = context.req.param("id");
    const of = batchOfFile(id);
    if (of !== undefined) {
      await parts.tenants.batches.find(caller, of.batch);
      const message = "the file belongs to a batch, and goes with the run of that";
      throw new RankmillError("conflict", message);
    }
    await files.remove(caller, id);
    return context.json({ id, object: "file", deleted: true });
  });
};

async function list(context: FileContext, { tenants }: GatewayParts): Promise<Response> {
  const caller = context.get("caller");
  requireScope(caller, "read", "runs");
  const { after, limit, purpose } = readQuery(context, filePageSchema);
  const all = await tenants.files.list(caller);
  const wanted = all.filter((file) => purpose === undefined || file.purpose === purpose);
  const place = wanted.findIndex(({ id }) => id === after);
  // From the first one on, a client that pages through its files would never end.
  if (after !== undefined && place < 0) {
    const message = `there is no file ${JSON.stringify(after.slice(0, 200))}`;
    throw new RankmillError("not_found", message);
  }
  const from = place + 1;
  const data = wanted.slice(from, from + limit).map(fileObject);
  return context.json({
    object: "list",
    data,
    has_more: wanted.length > from + limit,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  });
}

async function show(context: FileContext, { tenants }: GatewayParts): Promise<Response> {
  const caller = context.get("caller");
  requireScope(caller, "read", "runs");
  const id = context.req.param("id") ?? "";
  const of = batchOfFile(id);
  if (of === undefined) return context.json(fileObject(await tenants.files.find(caller, id)));
  const batch = await tenants.batches.find(caller, of.batch);
  let bytes = 0;
  for await (const line of batchLines(batch, of.kind)) bytes += Buffer.byteLength(line) + 1;
  const created = batch.facts.endedAtMs ?? Date.parse(batch.info.createdAt);
  const file: FileObject = {
    id,
    object: "file",
    bytes,
    created_at: seconds(created),
    filename: `${batch.id}_${of.kind}.jsonl`,
    purpose: "batch_output",
    status: "processed",
    status_details: null,
  };
  return context.json(file);
}

async function content(context: FileContext, { tenants, slots }: GatewayParts): Promise<Response> {
  const caller = context.get("caller");
  requireScope(caller, "read", "runs");
  const id = context.req.param("id") ?? "";
  const of = batchOfFile(id);
  const body =
    of === undefined
      ? streamBytes((await tenants.files.open(caller, id)).chunks)
      : streamLines(batchLines(await tenants.batches.find(caller, of.batch), of.kind));
  slots.take(caller.keyId, context.env.outgoing);
  // Never shown as a page, whatever somebody uploaded.
  context.header("Content-Type", "application/octet-stream");
  context.header("Content-Disposition", "attachment");
  return context.body(body as ReadableStream);
}

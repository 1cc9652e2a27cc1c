import type { Context } from "hono";
import { DEFAULT_IN_FLIGHT_BOUNDS } from "../../src/core/in-flight-bounds.js";
import { resolveScoring } from "../../src/core/scoring.js";
import { maxLengthOf } from "../../src/app/client/max-length-of.js";
import { openStream } from "../../src/app/tenants/streamed-source.js";
import { chunksOf } from "./body-chunks.js";
import type { GatewayEnv, GatewayParts } from "./env.js";
import { once, onceName, type MadeAnswer } from "./once.js";
import { readQuery, withJson } from "./read-json.js";
import { runBodySchema, runQuerySchema, type RunSettings } from "./run-fields.js";
import { scoringOf } from "./scoring-fields.js";

interface RunInput {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The input's name, for people. */
  readonly name: string;
}

/** Submits a run: a body of JSON names a file that was uploaded, any other body holds the records. */
export async function submitRun(
  context: Context<GatewayEnv>,
  parts: GatewayParts,
): Promise<Response> {
  if (isJson(context)) {
    return await withJson(context, parts, runBodySchema, async ({ value, text }) => {
      const { file, ...settings } = value;
      return await once(context, parts.tenants.once, text, async () => {
        const { files } = parts.tenants;
        const { chunks, filename } = await files.open(context.get("caller"), file);
        return await make(context, parts, settings, { chunks, name: filename });
      });
    });
  }
  const settings = readQuery(context, runQuerySchema);
  // All there is to tell one body from another without reading it.
  const length = context.req.header("content-length") ?? "";
  const fingerprint = `${length} ${JSON.stringify(settings)}`;
  return await once(context, parts.tenants.once, fingerprint, async () => {
    const chunks = chunksOf(context.env.incoming);
    return await make(context, parts, settings, { chunks, name: "a request's body" });
  });
}

async function make(
  context: Context<GatewayEnv>,
  { gateway, tenants, streams }: GatewayParts,
  settings: RunSettings,
  input: RunInput,
): Promise<MadeAnswer> {
  const { model } = await gateway.models.find(settings.model);
  context.get("facts").model = model.name;
  const topN = settings.top_n === 0 ? undefined : settings.top_n;
  const { format } = settings;
  const modelNames = [model.name, ...model.aliases, ...(settings.model ? [settings.model] : [])];
  const { source, notes } = await openStream(
    { chunks: input.chunks, format, topN, modelNames },
    streams,
  );
  try {
    const { run, total } = await tenants.runs.submit(context.get("caller"), {
      source,
      input: input.name,
      model,
      scoring: resolveScoring({
        ...scoringOf(settings),
        maxLength: maxLengthOf(settings.max_length, model),
        truncation: settings.truncation ?? "only-second",
      }),
      topN,
      ttlSeconds: settings.ttl_seconds,
      inFlightJobs: DEFAULT_IN_FLIGHT_BOUNDS.maxJobs,
      once: onceName(context),
    });
    const url = `/v1/runs/${run.id}`;
    const body = { id: run.id, object: "run", state: "submitted", total, url, warnings: notes };
    return { status: 202, location: url, body: JSON.stringify(body) };
  } finally {
    await source.close();
  }
}

function isJson(context: Context<GatewayEnv>): boolean {
  const type = context.req.header("content-type") ?? "";
  return type.split(";", 1)[0]?.trim().toLowerCase() === "application/json";
}

import type { Context } from "hono";
import { DEFAULT_IN_FLIGHT_BOUNDS } from "../../src/core/in-flight-bounds.js";
import { resolveScoring } from "../../src/core/scoring.js";
import { scoringFor } from "../../src/app/client/scoring-for.js";
import { openStream } from "../../src/app/tenants/streamed-source.js";
import { chunksOf } from "./body-chunks.js";
import type { GatewayEnv, GatewayParts } from "./env.js";
import { once, onceKey, type MadeAnswer } from "./once.js";
import { readQuery, withJson } from "./read-json.js";
import { runBodySchema, runQuerySchema, type RunSettings } from "./run-fields.js";
import { scoringOf } from "./scoring-fields.js";

interface RunInput {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The input's name, for people. */
  readonly name: string;
  /** All there is to tell the request from another. */
  readonly fingerprint: string;
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
        const input = { chunks, name: filename, fingerprint: text };
        return await make(context, parts, settings, input);
      });
    });
  }
  const settings = readQuery(context, runQuerySchema);
  // All there is to tell one body from another without reading it.
  const length = context.req.header("content-length") ?? "";
  const fingerprint = `${length} ${JSON.stringify(settings)}`;
  return await once(context, parts.tenants.once, fingerprint, async () => {
    const chunks = chunksOf(context.env.incoming);
    const input = { chunks, name: "a request's body", fingerprint };
    return await make(context, parts, settings, input);
  });
}

async function make(
  context: Context<GatewayEnv>,
  { gateway, tenants, streams }: GatewayParts,
  settings: RunSettings,
  { chunks, name, fingerprint }: RunInput,
): Promise<MadeAnswer> {
  const { model } = await gateway.models.find(settings.model);
  context.get("facts").model = model.name;
  const topN = settings.top_n === 0 ? undefined : settings.top_n;
  const { format } = settings;
  const modelNames = [model.name, ...model.aliases, ...(settings.model ? [settings.model] : [])];
  const { source, notes } = await openStream({ chunks, format, topN, modelNames }, streams);
  try {
    const { run, total } = await tenants.runs.submit(context.get("caller"), {
      source,
      input: name,
      model,
      scoring: resolveScoring(scoringFor(scoringOf(settings), model)),
      topN,
      ttlSeconds: settings.ttl_seconds,
      inFlightJobs: DEFAULT_IN_FLIGHT_BOUNDS.maxJobs,
      once: onceKey(context, fingerprint),
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

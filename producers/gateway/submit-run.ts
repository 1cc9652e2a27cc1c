import type { Context } from "hono";
import { DEFAULT_IN_FLIGHT_BOUNDS } from "../../src/core/in-flight-bounds.js";
import { resolveScoring } from "../../src/core/scoring.js";
import { scoringFor } from "../../src/app/client/scoring-for.js";
import { openStream } from "../../src/app/tenants/streamed-source.js";
import { chunksOf } from "./body-chunks.js";
import { DigestedBody } from "./digested-body.js";
import type { GatewayEnv, GatewayParts } from "./env.js";
import { once, onceKey, type MadeAnswer } from "./once.js";
import { readQuery, withJson } from "./read-json.js";
import { runBodySchema, runQuerySchema, type RunSettings } from "./run-fields.js";
import { Refusal } from "./refusal.js";
import { scoringOf } from "./scoring-fields.js";

interface RunInput {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The input's name, for people. */
  readonly name: string;
  /** All there is to tell the request from another. */
  readonly fingerprint: string;
}

/** curl's type for whatever it posts: a file's name would be taken for a record, and `-d @FILE` has lost its line breaks. */
const FORM = "application/x-www-form-urlencoded";
const NOT_A_FORM =
  "Content-Type: a form is no input of a run: say application/x-ndjson (or text/csv, text/plain) and send lines with curl's --data-binary, or say application/json and name a file";

/** Submits a run: a body of JSON names a file that was uploaded, any other body holds the records. */
export async function submitRun(
  context: Context<GatewayEnv>,
  parts: GatewayParts,
): Promise<Response> {
  if (mediaType(context) === "application/json") {
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
  if (mediaType(context) === FORM) throw new Refusal(415, "invalid_field", NOT_A_FORM);
  const settings = readQuery(context, runQuerySchema);
  // All that tells one body from another before it is read.
  const length = context.req.header("content-length") ?? "";
  const fingerprint = `${length} ${JSON.stringify(settings)}`;
  const body = new DigestedBody(chunksOf(context.env.incoming));
  const work = async (): Promise<MadeAnswer> => {
    const input = { chunks: body.chunks(), name: "a request's body", fingerprint };
    return await make(context, parts, settings, input);
  };
  return await once(context, parts.tenants.once, fingerprint, work, body);
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
    const warnings = total === 0 ? [...notes, `${name} holds no record`] : notes;
    const body = { id: run.id, object: "run", state: "submitted", total, url, warnings };
    return { status: 202, location: url, body: JSON.stringify(body) };
  } finally {
    await source.close();
  }
}

function mediaType(context: Context<GatewayEnv>): string | undefined {
  const type = context.req.header("content-type") ?? "";
  return type.split(";", 1)[0]?.trim().toLowerCase();
}

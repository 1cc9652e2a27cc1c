/** The routes of other servers' rerank APIs. */
import type { Context } from "hono";
import { RankmillError } from "../../../src/core/errors.js";
import type { AnswerFacts, Wire, WireBody } from "../../../src/core/ports/wire.js";
import { checkRanked } from "../../../src/app/gateway/check-ranked.js";
import { firstWireOf, wireOf, wirePaths } from "../../../src/app/gateway/wires/registry.js";
import { writeJson } from "../../../src/app/gateway/wires/write-json.js";
import { deadlineOf } from "../deadline.js";
import type { GatewayEnv, GatewayParts, RouteModule } from "../env.js";
import { hangUpSignal } from "../hang-up.js";
import { requireScope } from "../rights.js";
import { writeProblem } from "../write-problem.js";
import { parseJson } from "../parse-json.js";

export const wireRoutes: RouteModule = (app, parts) => {
  for (const path of wirePaths()) {
    app.post(path, async (context) => await serveWire(context, path, parts));
  }
};

type WireContext = Context<GatewayEnv>;

async function serveWire(
  context: WireContext,
  path: string,
  parts: GatewayParts,
): Promise<Response> {
  let wire: Wire = firstWireOf(path);
  const held = { release: (): void => {} };
  try {
    requireScope(context.get("caller"), "rerank");
    return await parts.waiting.admit(async () => {
      const body = await readObject(context, parts, held);
      wire = wireOf(path, body);
      return await answer(context, wire.read(body, path), parts);
    });
  } catch (error) {
    return writeProblem(context, error, wire.writeProblem.bind(wire));
  } finally {
    held.release();
  }
}

async function answer(
  context: WireContext,
  { call, answer: write }: ReturnType<Wire["read"]>,
  { gateway, keeper, deadlineMs, stopping, strictDocuments }: GatewayParts,
): Promise<Response> {
  const startMs = performance.now();
  const deadline = deadlineOf(context.req.header("prefer"), deadlineMs);
  if (deadline.applied !== undefined) context.header("Preference-Applied", deadline.applied);
  const facts = context.get("facts");
  facts.documents = call.questions.reduce((sum, { documents }) => sum + documents.length, 0);
  const caller = context.get("caller");
  const options = {
    deadlineMs: deadline.ms,
    requestId: context.get("requestId"),
    signal: hangUpSignal(context.env.outgoing),
    stopping,
  };
  const ranked = await keeper.holding(caller, facts.documents, deadline.ms, () =>
    gateway.rank(caller, call, options),
  );
  facts.model = ranked.model;
  const about: AnswerFacts = {
    id: context.get("requestId"),
    createdSeconds: Math.floor(Date.now() / 1_000),
    tookMs: performance.now() - startMs,
    warnings: checkRanked(call, ranked, strictDocuments),
  };
  if (about.warnings.length > 0) context.header("X-Rankmill-Warnings", headerText(about.warnings));
  const { body, headers = {} } = write(ranked, about);
  return context.body(writeJson(body), 200, { "Content-Type": "application/json", ...headers });
}

/** Longest header; names of fields in it may be of any script. */
const MAX_HEADER_CHARS = 1_024;

function headerText(warnings: readonly string[]): string {
  const text = warnings.join("; ").replaceAll(/[^\x20-\x7e]/g, "?");
  return text.slice(0, MAX_HEADER_CHARS);
}

/** @throws RankmillError `invalid_json`; Refusal if the body is over a bound */
async function readObject(
  context: WireContext,
  { bodies }: GatewayParts,
  held: { release: () => void },
): Promise<WireBody> {
  const { bytes, release } = await bodies.read(context.env.incoming);
  held.release = release;
  context.get("facts").bytes = bytes.length;
  const { value } = parseJson(bytes);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as WireBody;
  }
  throw new RankmillError("invalid_json", "the body is not a JSON object");
}

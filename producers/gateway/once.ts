import { createHash } from "node:crypto";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import { parseStored } from "../../src/core/stored-json.js";
import type { OnceStore } from "../../src/redis/once-store.js";
import type { DigestedBody } from "./digested-body.js";
import type { GatewayEnv } from "./env.js";
import { Refusal } from "./refusal.js";

/** Printable ASCII, as UUIDs and the like are. */
const NAME = /^[\x20-\x7e]{1,255}$/;
const BUSY_RETRY_SECONDS = "1";

const answerSchema = z.object({
  status: z.int(),
  location: z.string(),
  body: z.string(),
  /** The body of the request, if it was not read before the work began. */
  sent: z.object({ sha256: z.string(), bytes: z.int() }).exactOptional(),
});

/** An answer that says what was made: small, so that it can be kept for those who ask again. */
export type MadeAnswer = z.infer<typeof answerSchema>;

/** The client's name for the request, from `Idempotency-Key`. @throws Refusal 422 */
function onceName(context: Context<GatewayEnv>): string | undefined {
  const name = context.req.header("idempotency-key");
  if (name === undefined || NAME.test(name)) return name;
  const message = "Idempotency-Key: expected 1 to 255 printable ASCII characters";
  throw new Refusal(422, "invalid_field", message);
}

/**
 * A name for what a request makes, so that a repetition finds what a gateway that died has begun; undefined if
 * the client gave none. Another request under the same name is another thing.
 */
export function onceKey(context: Context<GatewayEnv>, fingerprint: string): string | undefined {
  const name = onceName(context);
  return name === undefined ? undefined : `${name}\n${hash(fingerprint)}`;
}

/**
 * Does `work` once for each name that a client gives its requests, and answers the same again.
 *
 * @param fingerprint of the request, without its name
 * @param body of the request, if it is not a part of the fingerprint
 * @throws Refusal 409 while the first is under way, 422 if it was another request; what `work` throws
 */
export async function once(
  context: Context<GatewayEnv>,
  store: OnceStore,
  fingerprint: string,
  work: () => Promise<MadeAnswer>,
  body?: DigestedBody,
): Promise<Response> {
  const name = onceName(context);
  if (name === undefined) return answer(context, await work());
  const { keyId } = context.get("caller");
  const { method, path } = context.req;
  const start = await store.begin(keyId, hash(`${method} ${path}\n${name}`), hash(fingerprint));
  if (start.status === "busy") {
    const message = "the first request with this Idempotency-Key is under way: wait for it";
    const headers = { "Retry-After": BUSY_RETRY_SECONDS };
    throw new Refusal(409, "conflict", message, headers);
  }
  if (start.status === "answered") {
    const isAnother = start.fingerprint !== hash(fingerprint);
    const made = parseStored(answerSchema, start.answer, "an answer in Redis");
    if (isAnother || (made.sent !== undefined && (await body?.isEqualTo(made.sent)) === false)) {
      const message = "another request had this Idempotency-Key: give each its own";
      throw new Refusal(422, "conflict", message);
    }
    context.header("Idempotency-Replayed", "true");
    return answer(context, made);
  }
  try {
    const made = await work();
    const sent = body?.digest();
    await start.turn.finish(JSON.stringify({ ...made, ...(sent && { sent }) }));
    return answer(context, made);
  } catch (error) {
    await start.turn.abandon().catch(() => {});
    throw error;
  }
}

function answer(context: Context<GatewayEnv>, { status, location, body }: MadeAnswer): Response {
  context.header("Location", location);
  context.header("Content-Type", "application/json");
  return context.body(body, status as ContentfulStatusCode);
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

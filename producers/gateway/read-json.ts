import type { Context } from "hono";
import type { z } from "zod";
import { RankmillError } from "../../src/core/errors.js";
import { issueText } from "../../src/core/issue-text.js";
import type { GatewayEnv, GatewayParts } from "./env.js";
import { parseJson } from "./parse-json.js";

/** A parsed body and its size. */
export interface ReadJson<T> {
  readonly value: T;
  readonly bytes: number;
  /** SHA-256 tells equal bodies; the text is kept for that alone. */
  readonly text: string;
}

/**
 * Reads a JSON body while `work` runs, and not longer: it counts against the bytes in flight.
 *
 * @throws RankmillError `invalid_json`, `invalid_field`; Refusal if the body is over a bound; what `work` throws
 */
export async function withJson<S extends z.ZodType, T>(
  context: Context<GatewayEnv>,
  { bodies }: Pick<GatewayParts, "bodies">,
  schema: S,
  work: (body: ReadJson<z.output<S>>) => Promise<T>,
): Promise<T> {
  const { bytes, release } = await bodies.read(context.env.incoming);
  try {
    context.get("facts").bytes = bytes.length;
    const { value, text } = parseJson(bytes);
    return await work({ value: parseWith(schema, value), bytes: bytes.length, text });
  } finally {
    release();
  }
}

/** Reads the parameters of a URL, each at most once. @throws RankmillError `invalid_field` */
export function readQuery<S extends z.ZodType>(
  context: Context<GatewayEnv>,
  schema: S,
): z.output<S> {
  return parseWith(schema, context.req.query());
}

/** @throws RankmillError `invalid_field`, naming the field */
export function parseWith<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value, { reportInput: false });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === "unrecognized_keys") {
    const [field = ""] = issue.keys;
    const name = JSON.stringify(field.slice(0, 200));
    throw new RankmillError("invalid_field", `there is no field ${name}`, { field });
  }
  const field = issue?.path.map(String).join(".") ?? "";
  const message = `${field === "" ? "the body" : field}: ${issue === undefined ? "is not valid" : issueText(issue)}`;
  throw new RankmillError("invalid_field", message, { field });
}

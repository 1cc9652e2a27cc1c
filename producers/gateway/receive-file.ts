import type { Context } from "hono";
import { RankmillError } from "../../src/core/errors.js";
import type { StoredFile } from "../../src/redis/file-index.js";
import { chunksOf } from "./body-chunks.js";
import type { GatewayEnv, GatewayParts } from "./env.js";
import { UPLOAD_PURPOSE } from "./file-fields.js";
import { boundaryOf, readField, readForm, type FormPart } from "./multipart.js";
import { Refusal } from "./refusal.js";

const MAX_NAME_CHARS = 255;

/**
 * Stores the file of a multipart form as it comes; fields may stand before or behind it.
 *
 * @throws Refusal 400, 415; RankmillError `invalid_field`, `limit_exceeded`
 */
export async function receiveFile(
  context: Context<GatewayEnv>,
  { tenants }: GatewayParts,
): Promise<StoredFile> {
  const boundary = boundaryOf(context.req.header("content-type"));
  if (boundary === undefined) {
    const message = "a file is sent as multipart/form-data, with the fields file and purpose";
    throw new Refusal(415, "invalid_field", message);
  }
  const { incoming } = context.env;
  const form = readForm(chunksOf(incoming), boundary);
  const fields = new Map<string, string>();
  const file = await untilFile(form, fields);
  if (file === undefined) {
    throw new RankmillError("invalid_field", "file: is missing", { field: "file" });
  }
  const length = Number(incoming.headers["content-length"] ?? Number.NaN);
  return await tenants.files.add(context.get("caller"), {
    filename: nameOf(file.filename ?? ""),
    announcedBytes: Number.isSafeInteger(length) ? length : undefined,
    chunks: file.chunks,
    purpose: async () => {
      if ((await untilFile(form, fields)) !== undefined) {
        throw new RankmillError("invalid_field", "file: stands twice in the form: send one", {
          field: "file",
        });
      }
      return purposeIn(fields);
    },
  });
}

/** Reads fields up to the next file. */
async function untilFile(
  form: AsyncGenerator<FormPart, void, undefined>,
  fields: Map<string, string>,
): Promise<FormPart | undefined> {
  for (let next = await form.next(); next.done !== true; next = await form.next()) {
    const part = next.value;
    if (part.filename !== undefined && part.name === "file") return part;
    fields.set(part.name, await readField(part));
  }
  return undefined;
}

/** @throws RankmillError `invalid_field` */
function purposeIn(fields: ReadonlyMap<string, string>): string {
  const purpose = fields.get("purpose");
  if (purpose === UPLOAD_PURPOSE) return purpose;
  const message =
    purpose === undefined
      ? "purpose: is missing (batch)"
      : `purpose: is ${JSON.stringify(purpose.slice(0, 100))}, and must be batch`;
  throw new RankmillError("invalid_field", message, { field: "purpose" });
}

/** A name for people: without folders and control characters. */
function nameOf(given: string): string {
  const name = given.split(/[/\\]/).at(-1) ?? "";
  return name.replaceAll(/\p{Cc}/gu, "").slice(0, MAX_NAME_CHARS) || "upload.jsonl";
}

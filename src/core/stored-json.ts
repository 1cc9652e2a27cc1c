import type { z } from "zod";
import { RankmillError } from "./errors.js";

/**
 * Reads JSON that an earlier process wrote, be it into Redis or a file.
 *
 * @param place what is read, for the error
 * @throws RankmillError `damaged` if it is not JSON or not of this shape
 */
export function parseStored<S extends z.ZodType>(
  schema: S,
  text: string,
  place: string,
): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(place, "it is not JSON", error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.map(String).join(".") ?? "";
  throw damaged(place, `${field === "" ? "" : `${field}: `}${issue?.message ?? "not valid"}`);
}

/** Reads JSON that may be damaged or of another version. @returns undefined if it is */
export function tryStored<S extends z.ZodType>(
  schema: S,
  text: string | null | undefined,
): z.output<S> | undefined {
  if (text == null) return undefined;
  try {
    return parseStored(schema, text, "");
  } catch {
    return undefined;
  }
}

export function damaged(place: string, why: string, cause?: unknown): RankmillError {
  const message = `${place} is damaged, or was written by another program or version (${why})`;
  return new RankmillError("damaged", message, { place, cause });
}

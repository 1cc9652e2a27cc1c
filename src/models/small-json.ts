/** JSON files of a model's folder that are read whole: settings, some thousand characters. */
import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { RankmillError } from "../core/errors.js";
import { asModelReadError, errnoOf } from "../platform/file-system-errors.js";

const MAX_FILE_BYTES = 1_048_576;

/**
 * @returns the value of a file; undefined if there is none
 * @throws RankmillError `model_unusable` if it cannot be read
 */
export async function readSmallJson(path: string): Promise<unknown> {
  const text = await readSmallText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw unusableFile(path, "it is not JSON", error);
  }
}

/** As {@link readSmallJson}, of a file that is no JSON. */
export async function readSmallText(path: string): Promise<string | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw asModelReadError(error, path);
  }
  if (bytes.length > MAX_FILE_BYTES) {
    throw unusableFile(path, `it has ${bytes.length} bytes, over the limit of ${MAX_FILE_BYTES}`);
  }
  return bytes.toString("utf8");
}

/** @param field the place of the value in the file */
export function checkedValue<T>(
  path: string,
  value: unknown,
  schema: z.ZodType<T>,
  ...field: string[]
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  // A mistyped name explains the one that is missing.
  const [first] = [...issues.filter(({ code }) => code === "unrecognized_keys"), ...issues];
  const { path: within, message } = first ?? { path: [], message: "wrong" };
  const where = [...field, ...within].join(".");
  throw unusableFile(path, where === "" ? message : `${where}: ${message}`);
}

export function unusableFile(path: string, reason: string, cause?: unknown): RankmillError {
  return new RankmillError("model_unusable", `${path} cannot be used: ${reason}`, { cause });
}

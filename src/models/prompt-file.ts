/** `rankmill.json` beside a model: what its other files do not say. */
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import { promptSchema, type Prompt } from "../core/prompt.js";
import { asModelReadError, errnoOf } from "../platform/file-system-errors.js";
import { didYouMean } from "../core/near-names.js";
import { packageRoot } from "../platform/package-root.js";

export const PROMPT_FILE = "rankmill.json";
/** A prompt is some thousand characters. */
const MAX_FILE_BYTES = 1_048_576;

const fileSchema = z.strictObject({ prompt: z.unknown() });
const knownSchema = z.strictObject({
  about: z.string(),
  source: z.string(),
  prompt: promptSchema,
});

/**
 * The prompt of a model's folder: written out, or the name of one in the package's `models/prompts`.
 *
 * @returns undefined if the folder has no `rankmill.json`
 * @throws RankmillError `model_unusable` if it cannot be read, or names no known prompt
 */
export async function readPrompt(folder: string): Promise<Prompt | undefined> {
  const path = join(folder, PROMPT_FILE);
  const bytes = await readBytes(path);
  if (bytes === undefined) return undefined;
  const { prompt } = check(path, parse(path, bytes), fileSchema);
  if (typeof prompt === "string") return await namedPrompt(prompt, path);
  return check(path, prompt, promptSchema, "prompt");
}

/** Names of the prompts that come with rankmill. */
export async function promptNames(): Promise<string[]> {
  const files = await readdir(promptsFolder());
  return files
    .filter((file) => file.endsWith(".json"))
    .map((file) => basename(file, ".json"))
    .sort();
}

async function namedPrompt(name: string, namedBy: string): Promise<Prompt> {
  const names = await promptNames();
  if (!names.includes(name)) {
    const near = didYouMean(name, names);
    const hint = near === undefined ? "" : `; ${near}`;
    const quoted = JSON.stringify(name);
    throw unusable(namedBy, `prompt: ${quoted} is none of ${names.join(", ")}${hint}`);
  }
  const path = join(promptsFolder(), `${name}.json`);
  return check(path, parse(path, await readFile(path)), knownSchema).prompt;
}

function promptsFolder(): string {
  return join(packageRoot(), "models", "prompts");
}

async function readBytes(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw asModelReadError(error, path);
  }
}

function parse(path: string, bytes: Buffer): unknown {
  if (bytes.length > MAX_FILE_BYTES) {
    throw unusable(path, `it has ${bytes.length} bytes, over the limit of ${MAX_FILE_BYTES}`);
  }
  try {
    return JSON.parse(bytes.toString("utf8")) as unknown;
  } catch (error) {
    throw unusable(path, "it is not JSON", error);
  }
}

/** @param field the place of the value in the file */
function check<T>(path: string, value: unknown, schema: z.ZodType<T>, ...field: string[]): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  // A mistyped name explains the one that is missing.
  const [first] = [...issues.filter(({ code }) => code === "unrecognized_keys"), ...issues];
  const { path: within, message } = first ?? { path: [], message: "wrong" };
  const where = [...field, ...within].join(".");
  throw unusable(path, where === "" ? message : `${where}: ${message}`);
}

function unusable(path: string, reason: string, cause?: unknown): RankmillError {
  return new RankmillError("model_unusable", `${path} cannot be used: ${reason}`, { cause });
}

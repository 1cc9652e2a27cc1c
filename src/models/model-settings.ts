/** What a model's folder says of its prompt, its head and its public score. */
import { join } from "node:path";
import { z } from "zod";
import { ACTIVATIONS, type Activation } from "../core/activation.js";
import { headSchema, type HeadFile } from "../core/heads/head-file.js";
import { promptSchema, type Prompt } from "../core/prompt.js";
import { namedPrompt, promptNames } from "./known-prompts.js";
import { readSentenceTransformers, type SettingsFile } from "./sentence-transformers.js";
import { checkedValue, readSmallJson, unusableFile } from "./small-json.js";

/** The file beside a model that says what its other files do not. */
export const SETTINGS_FILE = "rankmill.json";

const fileSchema = z
  .strictObject({
    prompt: z.unknown().optional(),
    head: headSchema.exactOptional(),
    activation: z.enum(ACTIVATIONS).exactOptional(),
  })
  .refine(
    (file) => Object.values(file).some((value) => value !== undefined),
    "it is empty: it may hold prompt, head, activation",
  );

export interface ModelSettings {
  readonly prompt: Prompt | undefined;
  /** Undefined: one logit per pair, as it is. */
  readonly head: HeadFile | undefined;
  readonly activation: Activation | undefined;
  /** The files that were read: they are part of the model. */
  readonly files: readonly SettingsFile[];
}

/**
 * Reads `rankmill.json`. A folder without a prompt in it may have one in the files of sentence-transformers.
 *
 * @throws RankmillError `model_unusable` if a file cannot be read, or names no known prompt
 */
export async function readModelSettings(folder: string): Promise<ModelSettings> {
  const path = join(folder, SETTINGS_FILE);
  const value = await readSmallJson(path);
  const own = value === undefined ? undefined : checkedValue(path, value, fileSchema);
  const { head, activation } = own ?? {};
  // The role has its name from the time when a prompt was all that the file could hold.
  const ownFiles = own === undefined ? [] : [{ role: "prompt", path }];
  if (own?.prompt !== undefined) {
    const prompt = await promptOf(own.prompt, path);
    return { prompt, head, activation, files: ownFiles };
  }
  const others = await readSentenceTransformers(folder);
  const files = [...ownFiles, ...(others?.files ?? [])];
  return { prompt: others?.prompt, head, activation, files };
}

async function promptOf(value: unknown, path: string): Promise<Prompt> {
  if (typeof value === "string") return await namedPrompt(value, path);
  if (typeof value === "object" && value !== null && "parts" in value) {
    return checkedValue(path, value, promptSchema, "prompt");
  }
  const names = (await promptNames()).join(", ");
  throw unusableFile(
    path,
    `prompt: it is neither a name (${names}) nor an object with parts (docs/contributing/add-a-prompt.md)`,
  );
}

/** The prompts that come with rankmill, in the package's `models/prompts`. */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { didYouMean } from "../core/near-names.js";
import { promptSchema, type Prompt } from "../core/prompt.js";
import { packageRoot } from "../platform/package-root.js";
import { checkedValue, readSmallJson, unusableFile } from "./small-json.js";

const knownSchema = z.strictObject({
  about: z.string(),
  source: z.string(),
  prompt: promptSchema,
});

/** Names of the prompts that come with rankmill. */
export async function promptNames(): Promise<string[]> {
  const files = await readdir(promptsFolder());
  return files
    .filter((file) => file.endsWith(".json"))
    .map((file) => basename(file, ".json"))
    .sort();
}

/** @throws RankmillError `model_unusable` if the name in `namedBy` is none of them */
export async function namedPrompt(name: string, namedBy: string): Promise<Prompt> {
  const names = await promptNames();
  if (names.includes(name)) return (await readKnown(name)).prompt;
  const near = didYouMean(name, names);
  const hint = near === undefined ? "" : `; ${near}`;
  const quoted = JSON.stringify(name);
  throw unusableFile(namedBy, `prompt: ${quoted} is none of ${names.join(", ")}${hint}`);
}

/** The prompts that come with rankmill. */
export async function knownPrompts(): Promise<Prompt[]> {
  const known = await Promise.all((await promptNames()).map(readKnown));
  return known.map(({ prompt }) => prompt);
}

async function readKnown(name: string): Promise<z.infer<typeof knownSchema>> {
  const path = join(promptsFolder(), `${name}.json`);
  return checkedValue(path, await readSmallJson(path), knownSchema);
}

function promptsFolder(): string {
  return join(packageRoot(), "models", "prompts");
}

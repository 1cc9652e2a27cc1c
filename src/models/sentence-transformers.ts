/** The files in which sentence-transformers keeps how a language model is asked, from version 5.4 on. */
import { join } from "node:path";
import { z } from "zod";
import { promptSchema, takesInstruction, type Prompt } from "../core/prompt.js";
import { promptOfChatTemplate } from "./chat-template.js";
import { knownPrompts, promptNames } from "./known-prompts.js";
import { checkedValue, readSmallJson, readSmallText, unusableFile } from "./small-json.js";

const MODULES_FILE = "modules.json";
const CONFIG_FILE = "config_sentence_transformers.json";
const TEMPLATE_FILE = "chat_template.jinja";

const modulesSchema = z.array(z.looseObject({ type: z.string() }));
const configSchema = z.looseObject({
  prompts: z.record(z.string(), z.string()).nullish(),
  default_prompt_name: z.string().nullish(),
});

/** A file that says something of a model, and its part in the model's digest. */
export interface SettingsFile {
  readonly role: string;
  readonly path: string;
}

/**
 * The prompt of a folder whose modules end in a `LogitScore`.
 *
 * @returns undefined for any other folder
 * @throws RankmillError `model_unusable` if its chat template makes no prompt that rankmill knows
 */
export async function readSentenceTransformers(
  folder: string,
): Promise<{ readonly prompt: Prompt; readonly files: readonly SettingsFile[] } | undefined> {
  const modulesPath = join(folder, MODULES_FILE);
  const listed = await readSmallJson(modulesPath);
  const modules = modulesSchema.safeParse(listed).data ?? [];
  if (!modules.some(({ type }) => type.endsWith(".LogitScore"))) return undefined;
  const templatePath = join(folder, TEMPLATE_FILE);
  const template = await readSmallText(templatePath);
  const known = promptOfChatTemplate(template ?? "", await knownPrompts());
  if (known === undefined) {
    const why =
      template === undefined
        ? "the model is asked with a prompt, and this file with it is missing"
        : "it makes no prompt that rankmill knows, and no Jinja is run";
    const names = (await promptNames()).join(", ");
    const remedy = `write rankmill.json beside it, {"prompt": NAME} with one of ${names}, or with the prompt's parts (docs/contributing/add-a-prompt.md)`;
    throw unusableFile(templatePath, `${why}: ${remedy}`);
  }
  const configPath = join(folder, CONFIG_FILE);
  const config = await readSmallJson(configPath);
  const prompt = config === undefined ? known : withInstruction(known, configPath, config);
  const files = [
    { role: "modules", path: modulesPath },
    { role: "chat-template", path: templatePath },
    ...(config === undefined ? [] : [{ role: "sentence-transformers", path: configPath }]),
  ];
  return { prompt, files };
}

/**
 * For an encoder: sentence-transformers puts its default prompt before each query, and scores without it are others.
 *
 * @throws RankmillError `model_unusable` if the folder names one
 */
export async function requireNoQueryPrompt(folder: string): Promise<void> {
  const path = join(folder, CONFIG_FILE);
  const config = configSchema.safeParse(await readSmallJson(path)).data;
  const text = config?.prompts?.[config.default_prompt_name ?? ""] ?? "";
  if (text === "") return;
  throw unusableFile(
    path,
    `default_prompt_name: sentence-transformers puts ${JSON.stringify(text)} before each query, and rankmill puts nothing before an encoder's: set it to null, and begin your queries with that text`,
  );
}

/** The prompt with the instruction that the folder names as its default; its own if it names none. */
function withInstruction(known: Prompt, path: string, value: unknown): Prompt {
  const { prompts, default_prompt_name: name } = checkedValue(path, value, configSchema);
  if (name == null) return known;
  const instruction = prompts?.[name];
  if (instruction === undefined) {
    throw unusableFile(path, `default_prompt_name: prompts has no ${JSON.stringify(name)}`);
  }
  if (instruction === "" || instruction === known.instruction) return known;
  if (!takesInstruction(known)) {
    throw unusableFile(path, "it has an instruction, and the prompt of its template takes none");
  }
  return checkedValue(path, { ...known, instruction }, promptSchema, "prompts");
}

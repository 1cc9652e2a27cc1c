/** How a model is asked and read: its prompt and its head, checked against its config.json. */
import { join } from "node:path";
import type { Activation } from "../core/activation.js";
import { useOfHead } from "../core/heads/head-file.js";
import { PLAIN_HEAD, type HeadUse } from "../core/heads/head-use.js";
import type { Prompt } from "../core/prompt.js";
import type { ModelConfig } from "./model-config.js";
import { readModelSettings, SETTINGS_FILE } from "./model-settings.js";
import { requireNoQueryPrompt, type SettingsFile } from "./sentence-transformers.js";
import { unusableFile } from "./small-json.js";

/** Yes and no: both are often declared where a head was folded into one logit. The graph then says so. */
const LABELS_OF_A_FOLDED_HEAD = 2;
/** Language models: they are asked in words, and answer nonsense to a query and a document alone. */
const LANGUAGE_MODELS: ReadonlySet<string> = new Set([
  "gemma",
  "gemma2",
  "llama",
  "llama_bidirec",
  "mistral",
  "qwen2",
  "qwen3",
]);

export interface ModelUse {
  /** Undefined if it reads a query and a document and nothing else. */
  readonly prompt: Prompt | undefined;
  readonly head: HeadUse;
  /** The public score's function, if the folder names one. */
  readonly namedActivation: Activation | undefined;
  /** The files that say this; they are part of the model. */
  readonly settingsFiles: readonly SettingsFile[];
}

/** @throws RankmillError `model_unusable` if a file is wrong, or does not say what is needed */
export async function readModelUse(folder: string, config: ModelConfig): Promise<ModelUse> {
  const { prompt, head, activation, files } = await readModelSettings(folder);
  const configPath = join(folder, "config.json");
  if (head === undefined && (config.numLabels ?? 1) > LABELS_OF_A_FOLDED_HEAD) {
    const labels = config.labelNames === undefined ? "" : ` (${config.labelNames.join(", ")})`;
    throw unusableFile(
      configPath,
      `it declares ${config.numLabels} labels${labels}, and nothing says which one means relevant: write {"head": {"kind": "softmax", "label": N}} into ${SETTINGS_FILE} beside it, or choose a cross-encoder with num_labels 1`,
    );
  }
  if (prompt === undefined) {
    if (isLanguageModel(config)) {
      throw unusableFile(
        configPath,
        `${config.modelType} is a language model, and nothing says how it is asked: write {"prompt": NAME} into ${SETTINGS_FILE} beside it (docs/models.md lists the prompts)`,
      );
    }
    await requireNoQueryPrompt(folder);
  }
  const use = head === undefined ? PLAIN_HEAD : useOfHead(head, config.labelNames);
  if (typeof use === "string") throw unusableFile(join(folder, SETTINGS_FILE), use);
  return { prompt, head: use, namedActivation: activation, settingsFiles: files };
}

function isLanguageModel({ modelType, architecture = "" }: ModelConfig): boolean {
  return LANGUAGE_MODELS.has(modelType) || architecture.endsWith("ForCausalLM");
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import { asModelReadError, errnoOf } from "../platform/file-system-errors.js";
import { whyNotPairwise } from "./model-kind.js";

/** Pairs longer than this are rare and dear; a model that can more is asked for more by option. */
const USUAL_MAX_TOKENS = 512;
/** `tokenizer_config.json` writes 1e30 for "no limit". */
const NO_LIMIT_FROM_TOKENS = 1_000_000;

/** Learned positions start after the padding id: 514 rows hold 512 tokens. */
const OFFSET_POSITION_TYPES: ReadonlySet<string> = new Set([
  "camembert",
  "mpnet",
  "roberta",
  "xlm-roberta",
  "xlm-roberta-flash",
  "xlm-roberta-xl",
]);

const configSchema = z.looseObject({
  model_type: z.string().optional(),
  architectures: z.array(z.string()).nullish(),
  max_position_embeddings: z.number().int().positive().nullish(),
  pad_token_id: z.number().int().nonnegative().nullish(),
  num_labels: z.number().int().positive().nullish(),
  id2label: z.record(z.string(), z.unknown()).nullish(),
});

const tokenizerConfigSchema = z.looseObject({ model_max_length: z.number().min(1).nullish() });

export interface ModelConfig {
  /** `model_type` of config.json: `bert`, `xlm-roberta`, `modernbert`… */
  readonly modelType: string;
  /** First of `architectures`, if given. */
  readonly architecture: string | undefined;
  /** Most tokens of a pair, special tokens included: by positions and by the tokenizer's own word. */
  readonly maxPositions: number;
  /** The longest pair by positions alone: beyond them the graph fails. Undefined if config.json gives none. */
  readonly positions: number | undefined;
  readonly defaultMaxLength: number;
  /** Undefined if config.json says nothing: the graph's output then decides. */
  readonly numLabels: number | undefined;
  /** Names of the labels by their numbers; undefined if config.json does not number them from 0 on. */
  readonly labelNames: readonly string[] | undefined;
}

/** @throws RankmillError `model_unusable` if config.json is absent, not JSON, or no reranker's */
export async function readModelConfig(folder: string): Promise<ModelConfig> {
  const configPath = join(folder, "config.json");
  const config = await readJson(configPath, configSchema);
  if (config === undefined) {
    throw new RankmillError(
      "model_unusable",
      `${configPath} is missing: copy it from the repository that the model came from`,
    );
  }
  const tokenizerConfig = await readJson(
    join(folder, "tokenizer_config.json"),
    tokenizerConfigSchema,
  );
  const numLabels =
    config.num_labels ??
    (config.id2label == null ? undefined : Object.keys(config.id2label).length);
  const why = whyNotPairwise(config);
  if (why !== undefined) throw new RankmillError("model_unusable", `${configPath}: ${why}`);
  const modelType = config.model_type ?? "unknown";
  const positions = usablePositions(modelType, config);
  const advised = tokenizerConfig?.model_max_length ?? NO_LIMIT_FROM_TOKENS;
  const maxPositions =
    advised < NO_LIMIT_FROM_TOKENS
      ? Math.min(Math.floor(advised), positions ?? Number.POSITIVE_INFINITY)
      : (positions ?? USUAL_MAX_TOKENS);
  return {
    modelType,
    architecture: config.architectures?.[0],
    maxPositions,
    positions,
    defaultMaxLength: Math.min(USUAL_MAX_TOKENS, maxPositions),
    numLabels,
    labelNames: namesOf(config.id2label),
  };
}

function namesOf(id2label: z.infer<typeof configSchema>["id2label"]): string[] | undefined {
  const names = Object.keys(id2label ?? {}).map((_, i) => id2label?.[String(i)]);
  return names.length > 0 && names.every((name) => typeof name === "string") ? names : undefined;
}

function usablePositions(
  modelType: string,
  config: z.infer<typeof configSchema>,
): number | undefined {
  const declared = config.max_position_embeddings ?? undefined;
  if (declared === undefined) return undefined;
  const offset = OFFSET_POSITION_TYPES.has(modelType) ? (config.pad_token_id ?? 1) + 1 : 0;
  return Math.max(1, declared - offset);
}

async function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.infer<Schema> | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw asModelReadError(error, path);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RankmillError(
      "model_unusable",
      `${path} is not JSON (${text.length} characters): download it again`,
      { cause: error },
    );
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined ? "" : ` ${issue.path.join(".")}: ${issue.message}`;
    throw new RankmillError("model_unusable", `${path} has an unusable field:${where}`);
  }
  return parsed.data;
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RankmillError } from "../../core/errors.js";

const addedToken = z.looseObject({
  id: z.int().nonnegative(),
  content: z.string(),
  special: z.boolean().default(false),
  normalized: z.boolean().optional(),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
});

/** A normaliser or a pre-tokeniser: what it is, and whatever settings that kind has. */
export const stageSchema = z.looseObject({ type: z.string() });
export type Stage = z.infer<typeof stageSchema>;

const modelSchema = z.looseObject({
  type: z.string().optional(),
  vocab: z.unknown().optional(),
  unk_token: z.string().nullish(),
});

/**
 * `tokenizer.json` as far as this folder looks into it. The vocabulary stays as parsed: checking
 * 250,000 entries would cost as much as loading them, and the libraries check it anyway.
 */
export const tokenizerJsonSchema = z.looseObject({
  added_tokens: z.array(addedToken).default([]),
  normalizer: stageSchema.nullish(),
  pre_tokenizer: stageSchema.nullish(),
  post_processor: z.unknown().optional(),
  model: modelSchema,
});
export type TokenizerJson = z.infer<typeof tokenizerJsonSchema>;

export interface TokenizerFiles {
  readonly path: string;
  readonly tokenizerJson: TokenizerJson;
  /** Undefined where the folder has none. */
  readonly tokenizerConfig: unknown;
}

/** @throws RankmillError `model_unusable` where tokenizer.json is absent, unreadable or not one */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const path = join(folder, "tokenizer.json");
  const json = await readJson(path);
  if (json === undefined) {
    throw new RankmillError(
      "model_unusable",
      `${path} is missing: export the model with its fast tokenizer, or copy the file from its repository`,
    );
  }
  const parsed = tokenizerJsonSchema.safeParse(json);
  if (!parsed.success) {
    throw new RankmillError("model_unusable", `${path} is not a tokenizer: ${reasonOf(parsed)}`);
  }
  return {
    path,
    tokenizerJson: parsed.data,
    tokenizerConfig: await readJson(join(folder, "tokenizer_config.json")),
  };
}

function reasonOf({ error }: { readonly error: z.ZodError }): string {
  const issue = error.issues[0];
  return issue === undefined ? "unknown" : `${issue.path.join(".")}: ${issue.message}`;
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new RankmillError("model_unusable", `${path} cannot be read: ${String(error)}`, {
      cause: error,
    });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new RankmillError("model_unusable", `${path} is not JSON: ${String(error)}`, {
      cause: error,
    });
  }
}

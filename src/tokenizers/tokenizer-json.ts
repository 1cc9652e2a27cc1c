import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { RankmillError } from "../core/errors.js";

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
  readonly folder: string;
  /** Path of `tokenizer.json`. */
  readonly path: string;
  readonly json: Buffer;
  /** Undefined if the folder has none. */
  readonly config: Buffer | undefined;
}

/** @throws RankmillError `model_unusable` if tokenizer.json is absent, or either is unreadable */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const path = join(folder, "tokenizer.json");
  const json = await readBytes(path);
  if (json === undefined) {
    throw new RankmillError(
      "model_unusable",
      `${path} is missing: export the model with its fast tokenizer, or copy the file from its repository`,
    );
  }
  return { folder, path, json, config: await readBytes(configPath(path)) };
}

export interface ParsedTokenizer {
  readonly tokenizerJson: TokenizerJson;
  /** Undefined if the folder has none. */
  readonly tokenizerConfig: unknown;
}

/** @throws RankmillError `model_unusable` if tokenizer.json is not one */
export function parseTokenizer({ path, json, config }: TokenizerFiles): ParsedTokenizer {
  const parsed = tokenizerJsonSchema.safeParse(parseJson(path, json));
  if (!parsed.success) {
    throw new RankmillError("model_unusable", `${path} is not a tokenizer: ${reasonOf(parsed)}`);
  }
  return {
    tokenizerJson: parsed.data,
    tokenizerConfig: config === undefined ? undefined : parseJson(configPath(path), config),
  };
}

function configPath(path: string): string {
  return join(dirname(path), "tokenizer_config.json");
}

function reasonOf({ error }: { readonly error: z.ZodError }): string {
  const issue = error.issues[0];
  return issue === undefined ? "unknown" : `${issue.path.join(".")}: ${issue.message}`;
}

async function readBytes(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new RankmillError("model_unusable", `${path} cannot be read: ${String(error)}`, {
      cause: error,
    });
  }
}

function parseJson(path: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8")) as unknown;
  } catch (error) {
    throw new RankmillError("model_unusable", `${path} is not JSON: ${String(error)}`, {
      cause: error,
    });
  }
}

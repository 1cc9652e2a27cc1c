/**
 * The shape of one reviewed catalogue entry (`models/catalogue/*.json`): what is known of a model
 * before any of its files is on this machine. A fact that is not known is null, never guessed.
 */
import { z } from "zod";
import { sourceSchema } from "./catalogue-source.js";
import { headSchema } from "./heads/head-file.js";
import { PRECISIONS } from "./precision.js";

const publishedScore = z.strictObject({
  query: z.string(),
  document: z.string(),
  score: z.number(),
  /** The function that the publisher applied to the logit: `identity` is the raw logit. */
  activation: z.enum(["sigmoid", "identity"]),
  /** The precision of the publisher's weights, as far as it is stated. */
  precision: z.enum(["fp32", "fp16", "bf16", "int8", "unstated"]),
  /** Largest absolute difference that still counts as the same model, in units of `score`. */
  tolerance: z.number().positive(),
  source: z.url(),
});

export const catalogueEntrySchema = z.strictObject({
  /** The canonical name: the publisher's hub id, or the name of a model in the package. */
  id: z.string().regex(/^[\w.-]+(\/[\w.-]+)?$/),
  aliases: z.array(z.string().regex(/^[\w.-]+(\/[\w.-]+)?$/)).min(1),
  description: z.string().min(1),
  source: sourceSchema,
  architecture: z.enum([
    "bert",
    "electra",
    "xlm-roberta",
    "deberta-v2",
    "modernbert",
    "jina-bert",
    "jina-xlm-roberta",
    "gte-new",
    "qwen2",
    "qwen3",
    "llama",
    "llama-bidirectional",
    "gemma",
    "bm25",
    "other",
  ]),
  /** Millions; null if the publisher says nothing. */
  parameters: z.number().positive().nullable(),
  /**
   * Millions of weights that each token passes: those of the layers, without the table of embeddings. Null if
   * the shape of the model is not known.
   */
  layerParameters: z.number().positive().nullable(),
  /** Whether rankmill has run this model's published weights. If not, the entry is from what others wrote. */
  tried: z.boolean(),
  /** The precision to begin with; null if the device should not run it. */
  choice: z.strictObject({
    cpu: z.enum(PRECISIONS).nullable(),
    gpu: z.enum(PRECISIONS).nullable(),
  }),
  /** Name of a prompt in `models/prompts`; null for a model that reads a query and a document and nothing else. */
  prompt: z.string().nullable(),
  /** See `rankmill.json`; null: one logit per pair. An export has it in its graph. */
  head: headSchema.nullable(),
  /** Quality as published; figures of different benchmarks cannot be compared. */
  quality: z.array(
    z.strictObject({ benchmark: z.string().min(1), value: z.number(), source: z.url() }),
  ),
  /**
   * The layout of a pair. `cls-sep`: [CLS] query [SEP] document [SEP]; `roberta`:
   * <s> query </s></s> document </s>. The tokenizer's own post-processor decides; this is for people
   * and for a test that the two agree. Null
   * if the tokenizer was not seen.
   */
  pairTemplate: z.enum(["cls-sep", "roberta"]).nullable(),
  /** Whether the graph has a `token_type_ids` input. Null if its file was not seen. */
  tokenTypeIds: z.boolean().nullable(),
  /** Tokens of an encoded pair, special tokens included. */
  maxLength: z
    .strictObject({ default: z.int().positive(), highest: z.int().positive() })
    .refine((length) => length.default <= length.highest),
  /** The function that makes the public score from the logit. */
  activation: z.enum(["sigmoid", "identity"]),
  licence: z.strictObject({
    /** SPDX identifier. */
    name: z.string().min(1),
    /** What it allows, in a few words. */
    words: z.string().min(1),
    nonCommercial: z.boolean(),
    url: z.url().nullable(),
  }),
  /** ISO 639 codes; `mul` for a multilingual model without a short list. */
  languages: z.array(z.string().regex(/^[a-z]{2,3}$/)).min(1),
  published: z.array(publishedScore),
  /** Traps, and facts that could not be known. */
  notes: z.array(z.string()),
});

export type CatalogueEntry = z.infer<typeof catalogueEntrySchema>;

/** The entry that answers to a canonical id or an alias; names are matched without regard to case. */
export function findEntry(
  entries: readonly CatalogueEntry[],
  name: string,
): CatalogueEntry | undefined {
  const wanted = name.toLowerCase();
  return entries.find((entry) =>
    [entry.id, ...entry.aliases].some((known) => known.toLowerCase() === wanted),
  );
}

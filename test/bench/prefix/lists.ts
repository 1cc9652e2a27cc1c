import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { resolveScoring } from "../../../src/core/scoring.js";
import type { EncodedPair } from "../../../src/core/pair.js";
import { encodeParts } from "../../../src/pipeline/encode/encode-documents.js";
import type { PairEncoder } from "../../../src/pipeline/encode/pair-maker.js";
import { openTokenizer } from "../../../src/tokenizers/open-tokenizer.js";
import { seededRandom } from "../support/statistics.js";

/** Tokens of a document, documents of a query, and queries that are scored at once. */
export interface ListShape {
  readonly documentTokens: number;
  readonly documents: number;
  readonly queries: number;
}

/** A query with its documents, as texts and as the model reads them. */
export interface List {
  readonly query: string;
  readonly documents: readonly string[];
  readonly pairs: readonly EncodedPair[];
}

const QUERIES = [
  "how long may a dough rest before it goes into the oven",
  "rent of a flat in the centre of Hamburg",
  "which bacteria survive in boiling water?",
  "side effects of a medicine against high blood pressure",
  "when was the first bridge over the Rhine built",
  "how to get rid of moths in a cupboard",
  "list of rivers that flow into the Black Sea",
  "tax on a company car that is used at weekends",
] as const;
const SCORING = resolveScoring({ maxLength: 8_192, truncation: "only-second" });
const SEED = 20_261_129;
const NEVER = new AbortController().signal;
/** A word that is one token behind a space, in a byte-level vocabulary. */
const WORD = /^Ġ[a-z]{3,}$/;

const tokenizerSchema = z.object({
  model: z.object({ vocab: z.record(z.string(), z.number()) }),
});

/** Lists as the model's prompt makes them: real queries, and documents of words of one token each. */
export async function makeLists(
  modelFolder: string,
  shapes: readonly ListShape[],
): Promise<List[][]> {
  const words = await oneTokenWords(modelFolder);
  const { tokenizer, template } = await openTokenizer(modelFolder);
  const random = seededRandom(SEED);
  const draw = (): string => words[Math.floor(random() * words.length)] ?? "";
  try {
    const lists: List[][] = [];
    for (const { documentTokens, documents, queries } of shapes) {
      const made: List[] = [];
      for (let at = 0; at < queries; at += 1) {
        const texts = Array.from({ length: documents }, () =>
          Array.from({ length: documentTokens }, draw).join(" "),
        );
        const query = QUERIES[at % QUERIES.length] ?? "";
        made.push(await encodeList(query, texts, { tokenizer, template }));
      }
      lists.push(made);
    }
    return lists;
  } finally {
    await tokenizer.close();
  }
}

async function oneTokenWords(modelFolder: string): Promise<readonly string[]> {
  const text = await readFile(join(modelFolder, "tokenizer.json"), "utf8");
  const { vocab } = tokenizerSchema.parse(JSON.parse(text)).model;
  return Object.keys(vocab)
    .filter((token) => WORD.test(token))
    .map((token) => token.slice(1));
}

async function encodeList(
  query: string,
  documents: readonly string[],
  encoder: PairEncoder,
): Promise<List> {
  const pairs: EncodedPair[] = [];
  const request = { query, documents: documents.map((text) => ({ text })) };
  for await (const part of encodeParts(request, SCORING, encoder, NEVER)) {
    pairs.push(...part.pairs);
  }
  return { query, documents, pairs };
}

export function onnxOf(folder: string, precision: string): string {
  return join(folder, "onnx", precision === "fp32" ? "model.onnx" : `model_${precision}.onnx`);
}

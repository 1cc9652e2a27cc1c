import { join } from "node:path";
import { assemblePair } from "../../../src/core/pair-assembly.js";
import type { EncodedPair } from "../../../src/core/pair.js";
import { openTokenizer } from "../../../src/tokenizers/open-tokenizer.js";
import { seededRandom } from "../support/statistics.js";

/** Tokens of a document, documents of a query, and queries that are scored at once. */
export interface ListShape {
  readonly documentTokens: number;
  readonly documents: number;
  readonly queries: number;
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
const MAX_LENGTH = 8_192;
/** Below every vocabulary's special tokens. */
const HIGHEST_ID = 90_000;
const SEED = 20_261_129;

/** Lists of pairs as the model's prompt makes them: real queries, and documents of made-up tokens. */
export async function makeLists(
  modelFolder: string,
  shapes: readonly ListShape[],
): Promise<EncodedPair[][][]> {
  const { tokenizer, template } = await openTokenizer(modelFolder);
  const random = seededRandom(SEED);
  try {
    const { before = "", after = "" } = template.aroundQuery ?? {};
    const queries = await tokenizer.encode(QUERIES.map((query) => before + query + after));
    return shapes.map(({ documentTokens, documents, queries: count }) =>
      Array.from({ length: count }, (_, at) => {
        const query = queries[at % queries.length] ?? new Int32Array();
        return Array.from({ length: documents }, () => {
          const length = documentTokens;
          const ids = Int32Array.from({ length }, () => Math.floor(random() * HIGHEST_ID));
          const options = { maxLength: MAX_LENGTH, truncation: "only-second" } as const;
          return assemblePair(template, query, ids, options);
        });
      }),
    );
  } finally {
    await tokenizer.close();
  }
}

export function onnxOf(folder: string, precision: string): string {
  return join(folder, "onnx", precision === "fp32" ? "model.onnx" : `model_${precision}.onnx`);
}

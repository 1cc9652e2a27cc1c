import { createHash } from "node:crypto";
import type { DocumentLogit, InputFormat, ParsedLine } from "../../core/ports/input-format.js";
import { has, unusable } from "./line-fields.js";

/**
 * FlagEmbedding's `{"query", "pos": [], "neg": []}`: the documents are those of `pos`, then those of
 * `neg`. The format has no ids: a line without an `id` gets one made from its query and documents,
 * so that an interrupted run finds it again wherever it stands in the file. Its other fields wait in
 * the input for `writeBack`.
 */
export const flagEmbedding = {
  name: "flagembedding",
  fields: '"pos" and "neg"',
  detect: (line) => has(line, "pos") || has(line, "neg"),
  toRequest: (line) => {
    if (!has(line, "pos") && !has(line, "neg")) {
      return unusable("pos", 'and neg: are missing ("query", "pos" and "neg" are read)');
    }
    const { query } = line;
    const pos = line["pos"] ?? [];
    const neg = line["neg"] ?? [];
    if (!isList(pos)) return unusable("pos", "must be a list");
    if (!isList(neg)) return unusable("neg", "must be a list");
    const id = line["id"] ?? contentId([query, pos, neg]);
    return {
      status: "converted",
      request: { id, query, documents: [...pos, ...neg] },
      ignored: [],
    };
  },
  writeBack,
} as const satisfies InputFormat;

/**
 * Adds `pos_scores` and `neg_scores`, in the order of `pos` and `neg`: logits, as FlagEmbedding's own
 * scripts write them; null for a document that could not be scored.
 */
function writeBack(line: ParsedLine, results: readonly DocumentLogit[]): ParsedLine {
  const logits = new Map(results.map(({ index, logit }) => [index, logit]));
  const posCount = lengthOf(line["pos"]);
  const scoresOf = (first: number, count: number): (number | null)[] =>
    Array.from({ length: count }, (_, place) => logits.get(first + place) ?? null);
  return {
    ...line,
    pos_scores: scoresOf(0, posCount),
    neg_scores: scoresOf(posCount, lengthOf(line["neg"])),
  };
}

function contentId(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function lengthOf(value: unknown): number {
  return isList(value) ? value.length : 0;
}

import { createHash } from "node:crypto";

/** The shapes of an input line, by what they are known as. */
export type LineFormat = "job" | "openai_batch" | "single_pair" | "flag_embedding" | "unknown";

/** The main job's line, before the contract has checked it: values are as the input had them. */
export interface JobLine {
  readonly id?: unknown;
  readonly query: unknown;
  readonly documents: unknown;
  readonly top_n?: unknown;
  readonly metadata?: unknown;
}

export type Conversion =
  | {
      readonly status: "converted";
      readonly job: JobLine;
      /** The model that the line asks for; whoever runs it decides whether another one may do. */
      readonly model?: string;
      /** Fields of the line that have no counterpart and no effect. */
      readonly ignored: readonly string[];
    }
  | {
      readonly status: "unusable";
      readonly code: "invalid_field";
      /** As the line spells it: `body.query`. */
      readonly field: string;
      readonly message: string;
    };

/** One result of a ranking, as far as it is needed to write scores back. */
export interface PairScore {
  readonly index: number;
  readonly logit: number;
}

/**
 * Tells the shape of a parsed line by the fields that only this shape has. Values are not looked
 * at: a line of a known shape with a wrong value gets that value's error.
 */
export function detectLineFormat(value: unknown): LineFormat {
  if (!isRecord(value)) return "unknown";
  if (has(value, "documents")) return "job";
  if (has(value, "body")) return "openai_batch";
  if (has(value, "pos") || has(value, "neg")) return "flag_embedding";
  if (has(value, "document")) return "single_pair";
  return "unknown";
}

/** Brings a line of any shape into that of the main job. */
export function toJobLine(value: unknown): Conversion {
  if (!isRecord(value)) return unusable("", "must be an object");
  switch (detectLineFormat(value)) {
    case "openai_batch":
      return fromOpenAiBatch(value);
    case "single_pair":
      return fromSinglePair(value);
    case "flag_embedding":
      return fromFlagEmbedding(value);
    case "job":
      return { status: "converted", job: value as unknown as JobLine, ignored: [] };
    case "unknown":
    default:
      return unusable(
        "documents",
        'has none of the fields that tell its shape: "documents"; "document"; "body"; "pos" and "neg"',
      );
  }
}

const BATCH_FIELDS = ["custom_id", "method", "url", "body"];
const BODY_FIELDS = ["model", "query", "documents", "top_n", "top_k", "metadata"];
const RERANK_URL = /(^|\/)rerank\/?$/;

/** `{custom_id, method, url, body: {model?, query, documents, top_n?, metadata?}}`. */
export function fromOpenAiBatch(value: unknown): Conversion {
  if (!isRecord(value)) return unusable("", "must be an object");
  const { custom_id: id, method, url, body } = value;
  if (!isRecord(body)) return unusable("body", "must be an object");
  if (method !== undefined && method !== "POST") return unusable("method", 'must be "POST"');
  if (url !== undefined && (typeof url !== "string" || !RERANK_URL.test(url))) {
    return unusable("url", `must end in "/rerank", not ${JSON.stringify(url)}`);
  }
  const { model, query, documents, metadata } = body;
  const topN = body["top_n"] ?? body["top_k"];
  return {
    status: "converted",
    job: {
      ...given("id", id),
      query,
      documents,
      ...given("top_n", topN),
      ...given("metadata", metadata),
    },
    ...(typeof model === "string" ? { model } : {}),
    ignored: [
      ...others(value, BATCH_FIELDS),
      ...others(body, BODY_FIELDS).map((field) => `body.${field}`),
    ],
  };
}

const PAIR_FIELDS = ["id", "custom_id", "query", "document", "metadata"];

/** `{"id", "query", "document"}`: a job of one document, a text or `{"id"?, "text"}`. */
export function fromSinglePair(value: unknown): Conversion {
  if (!isRecord(value)) return unusable("", "must be an object");
  const { query, document, metadata } = value;
  if (document === undefined) return unusable("document", "is missing");
  const id = value["id"] ?? value["custom_id"];
  return {
    status: "converted",
    job: { ...given("id", id), query, documents: [document], ...given("metadata", metadata) },
    ignored: others(value, PAIR_FIELDS),
  };
}

/**
 * FlagEmbedding's `{"query", "pos": [], "neg": []}`: the documents are those of `pos`, then those of
 * `neg`. The format has no ids: without an `id`, a line gets one made from its query and documents,
 * so that an interrupted run finds it again wherever it stands in the file. Its other fields wait in
 * the input for `toFlagEmbedding`.
 */
export function fromFlagEmbedding(value: unknown): Conversion {
  if (!isRecord(value)) return unusable("", "must be an object");
  const { query } = value;
  const pos = value["pos"] ?? [];
  const neg = value["neg"] ?? [];
  if (!Array.isArray(pos)) return unusable("pos", "must be a list");
  if (!Array.isArray(neg)) return unusable("neg", "must be a list");
  const documents: unknown[] = [...(pos as unknown[]), ...(neg as unknown[])];
  const id = value["id"] ?? contentId([query, pos, neg]);
  return { status: "converted", job: { id, query, documents }, ignored: [] };
}

/**
 * Writes a ranking back into the FlagEmbedding line that it came from: all fields as they were, with
 * `pos_scores` and `neg_scores` in the order of `pos` and `neg`. Scores are logits, as its own
 * scripts write them; null for a document that could not be scored.
 *
 * @param value the line as it was read
 * @param results of all documents, in any order
 */
export function toFlagEmbedding(
  value: unknown,
  results: readonly PairScore[],
): Record<string, unknown> {
  const line = isRecord(value) ? value : {};
  const logits = new Map(results.map(({ index, logit }) => [index, logit]));
  const posCount = listLength(line["pos"]);
  const scoresOf = (first: number, count: number): (number | null)[] =>
    Array.from({ length: count }, (_, place) => logits.get(first + place) ?? null);
  return {
    ...line,
    pos_scores: scoresOf(0, posCount),
    neg_scores: scoresOf(posCount, listLength(line["neg"])),
  };
}

function contentId(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32);
}

function listLength(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function has(value: Record<string, unknown>, field: string): boolean {
  return value[field] !== undefined;
}

/** The field, unless it is absent: null stays, since the contract takes it. */
function given(field: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [field]: value };
}

function others(value: Record<string, unknown>, known: readonly string[]): string[] {
  return Object.keys(value).filter((field) => !known.includes(field));
}

function unusable(field: string, message: string): Conversion {
  return {
    status: "unusable",
    code: "invalid_field",
    field,
    message: field === "" ? `the line ${message}` : `${field} ${message}`,
  };
}

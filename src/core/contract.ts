import { z } from "zod";
import { RankmillError, type ExceededLimit } from "./errors.js";
import { issueText } from "./issue-text.js";
import { option, wording } from "./wording.js";

/**
 * The contract between producers and workers: what one job asks and what it answers, as both stand
 * on the wire. Types, validation and the published JSON Schema (`docs/schema/`) all come from here.
 *
 * A change that an older reader would misread raises the major version; the major version is part
 * of every queue's name, so that old workers never see new jobs.
 */
export const SCHEMA_MAJOR = 1;

/** Bounds on one job, checked before anything is enqueued. Each is an option of every producer. */
export interface Limits {
  /** Documents in one job. */
  readonly maxDocuments: number;
  /** UTF-16 code units of the query. */
  readonly maxQueryChars: number;
  /** UTF-16 code units of one document. */
  readonly maxDocumentChars: number;
  /** UTF-8 bytes of the whole job as JSON. */
  readonly maxJobBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  // Ten times the deepest candidate lists in common use (top 1,000).
  maxDocuments: 10_000,
  // No cross-encoder reads a query of more than its max length, 8,192 tokens at the most.
  maxQueryChars: 32_768,
  // A whole book of a million words stays outside; a 2 MB document passes, and is truncated.
  maxDocumentChars: 4_194_304,
  // One worker must be able to hold several of these.
  maxJobBytes: 33_554_432,
};

/** Long enough for any URL or hash that people use as an id. */
const MAX_ID_CHARS = 512;

function overLimit(subject: string, field: string, limit: ExceededLimit): RankmillError {
  const { name, value, max, unit = "" } = limit;
  const message = wording`${subject} has ${value} ${unit}, over the limit of ${max} (${option(name)})`;
  return new RankmillError("limit_exceeded", message, { field, limit });
}

const idSchema = z.string().min(1).max(MAX_ID_CHARS);

/** The request of one job as it stands on the wire, for the limits given. */
export function requestSchema(limits: Limits) {
  const text = z.string().max(limits.maxDocumentChars);
  const document = z.union([text, z.object({ id: idSchema.nullish(), text })]);
  return z
    .object({
      id: idSchema.nullish().describe("The record's id, unique in a file."),
      custom_id: idSchema
        .nullish()
        .describe("Another name of `id`, as OpenAI batch files have it."),
      query: z
        .string()
        .max(limits.maxQueryChars)
        .refine((query) => query.trim() !== "", { error: "must not be empty" }),
      documents: z
        .array(document)
        .max(limits.maxDocuments)
        .describe("The candidates; none gives an empty ranking."),
      top_n: z
        .int()
        .min(0)
        .nullish()
        .describe("Results to return; 0, null or more than there are: all."),
      top_k: z.int().min(0).nullish().describe("Another name of `top_n`."),
      metadata: z
        .record(z.string(), z.unknown())
        .nullish()
        .describe("Returned with the ranking, never read."),
      metadata_json: z
        .string()
        .refine(isObjectText, { error: "must be the JSON of an object, on one line" })
        .nullish()
        .describe(
          "The text of `metadata`, if a parser would alter it (a number beyond 64-bit floats, say); returned in its place.",
        ),
    })
    .describe(`A rerank job, schema version ${SCHEMA_MAJOR}.`);
}

function isObjectText(text: string): boolean {
  if (!text.startsWith("{") || /[\n\r]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The slice that a document's logit comes from; present if the job splits long documents. */
const windowSchema = z
  .object({
    start: z.int().min(0).describe("First character of the text that belongs to the window."),
    end: z.int().min(0).describe("The character after its last."),
    token_start: z.int().min(0).describe("The document's own tokens before the window."),
    token_end: z.int().min(0).describe("The same at its end."),
  })
  .describe(
    "The window with the highest logit. Characters are UTF-16 code units, as JavaScript's slice counts.",
  );

/** One line of output: the ranking of one job as it stands on the wire. */
export const rankingSchema = z
  .object({
    id: z.string(),
    model: z.string(),
    results: z
      .array(
        z.object({
          index: z.int().describe("Place of the document in the request, from 0."),
          id: z.string().optional(),
          relevance_score: z
            .number()
            .describe(
              "The logit after the model's activation, or the logit if the job asks for it.",
            ),
          logit: z
            .number()
            .describe("The model's raw output; of a document's windows the highest."),
          truncated: z
            .literal(true)
            .optional()
            .describe("Tokens of the document or of the query were not read."),
          window: windowSchema.optional(),
          windows: z
            .int()
            .min(1)
            .optional()
            .describe("Windows of the document that were scored; 1 if it was read whole."),
        }),
      )
      .describe("Best first by logit, ties by index."),
    errors: z
      .array(z.object({ index: z.int(), code: z.string(), message: z.string() }))
      .optional()
      .describe("Documents that could not be scored."),
    usage: z.object({
      pairs: z.int().describe("Pairs scored; each window of a document is one."),
      tokens: z.int().describe("Tokens scored, special tokens included."),
      truncated: z.int().describe("Documents that were cut, or whose query was."),
    }),
    times: z
      .object({
        tokenization_ms: z
          .number()
          .describe("Milliseconds in which texts became tokens, waits for the tokenizer included."),
        inference_ms: z.number().describe("Milliseconds for which the model had pairs of it."),
      })
      .optional()
      .describe("Times of a worker's work, only in rankings for requests to a gateway."),
    metadata: z.record(z.string(), z.unknown()).optional(),
  })
  .describe(`A ranking, schema version ${SCHEMA_MAJOR}.`);

export type WireRequest = z.input<ReturnType<typeof requestSchema>>;
export type WireRanking = z.infer<typeof rankingSchema>;

/** A document as the library holds it. */
export interface RequestDocument {
  readonly id?: string;
  readonly text: string;
}

/** A valid request as the library holds it. */
export interface RerankRequest {
  /** Empty if its producer left it to the job's id. */
  readonly id: string;
  readonly query: string;
  readonly documents: readonly RequestDocument[];
  /** Undefined: all of them. */
  readonly topN?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** The text of `metadata` on one line, if the parsed form says something else. */
  readonly metadataText?: string;
}

/** `documents[3].text` from ["documents", 3, "text"]. */
function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, key) => {
    if (typeof key === "number") return `${name}[${key}]`;
    return name === "" ? String(key) : `${name}.${String(key)}`;
  }, "");
}

/** A part of a value that breaks the contract. */
interface Breach {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** The field that is too long, and its limit. */
  readonly tooLong?: { readonly value: number; readonly max: number };
}

/** The issue that explains most: inside a union, the branch that got furthest. */
function firstBreach(issues: readonly z.core.$ZodIssue[]): Breach {
  const issue = issues[0];
  if (issue === undefined) return { path: [], message: "is not valid" };
  const { path } = issue;
  if (issue.code === "invalid_union") {
    const branches = issue.errors.map(firstBreach);
    const best = branches.find((one) => one.tooLong) ?? branches.find((one) => one.path.length > 0);
    if (best !== undefined) return { ...best, path: [...path, ...best.path] };
    return { path, message: "must be a string or {id?, text}" };
  }
  if (issue.code === "too_big") {
    const { input, maximum, message } = issue;
    const sized = typeof input === "string" || Array.isArray(input);
    if (sized) return { path, message, tooLong: { value: input.length, max: Number(maximum) } };
  }
  const missing = issue.code === "invalid_type" && issue.input === undefined;
  return { path, message: missing ? `is missing (${issue.expected} expected)` : issueText(issue) };
}

/** The limit on the part of a request at `path`, and its unit; an id's is not to be set. */
function limitAt(path: readonly PropertyKey[]): [keyof Limits, string] | undefined {
  if (path.at(-1) === "id" || path.at(-1) === "custom_id") return undefined;
  if (path[0] === "query") return ["maxQueryChars", "characters"];
  if (path[0] !== "documents") return undefined;
  return path.length === 1 ? ["maxDocuments", "documents"] : ["maxDocumentChars", "characters"];
}

function asError({ path, message, tooLong }: Breach): RankmillError {
  const field = fieldName(path) || "the record";
  const limit = tooLong === undefined ? undefined : limitAt(path);
  if (tooLong === undefined || limit === undefined) {
    const code = tooLong === undefined ? "invalid_field" : "limit_exceeded";
    return new RankmillError(code, `${field}: ${message}`, { field });
  }
  const [name, unit] = limit;
  return overLimit(`${field}:`, field, { name, ...tooLong, unit });
}

/** Two names of one field: either, or both if they agree. */
function either<T>(first: T, second: T, names: string): T {
  if (first != null && second != null && first !== second) {
    throw new RankmillError("invalid_field", `${names} differ: give one of them`, { field: names });
  }
  return first ?? second;
}

/**
 * Checks one request.
 *
 * @param value the parsed JSON of a line or a body
 * @param limits see {@link Limits}
 * @param bytes UTF-8 bytes of the request as JSON, measured by the caller
 * @param fallbackId the id if the request names none; without it such a request is refused
 * @throws RankmillError `invalid_field` or `limit_exceeded`, naming field, limit and value
 */
export function parseRequest(
  value: unknown,
  limits: Limits,
  bytes: number,
  fallbackId?: string,
): RerankRequest {
  if (bytes > limits.maxJobBytes) {
    const limit = { name: "maxJobBytes", value: bytes, max: limits.maxJobBytes, unit: "bytes" };
    throw overLimit("the job", "job", limit);
  }
  const parsed = compiledSchema(limits).safeParse(value, { reportInput: true });
  if (!parsed.success) throw asError(firstBreach(parsed.error.issues));
  const wire = parsed.data;
  const id = either(wire.id, wire.custom_id, "id and custom_id") ?? fallbackId;
  if (id === undefined) {
    throw new RankmillError("invalid_field", "id: is missing (a string, or custom_id)", {
      field: "id",
    });
  }
  const topN = either(wire.top_n, wire.top_k, "top_n and top_k");
  return {
    id,
    query: wire.query,
    documents: wire.documents.map((document) => {
      if (typeof document === "string") return { text: document };
      return document.id == null
        ? { text: document.text }
        : { id: document.id, text: document.text };
    }),
    ...(topN == null || topN === 0 ? {} : { topN }),
    ...(wire.metadata == null ? {} : { metadata: wire.metadata }),
    ...(wire.metadata_json == null ? {} : { metadataText: wire.metadata_json }),
  };
}

const compiled = new WeakMap<Limits, ReturnType<typeof requestSchema>>();

/** Building a zod schema costs more than using it: one a set of limits. */
function compiledSchema(limits: Limits): ReturnType<typeof requestSchema> {
  let schema = compiled.get(limits);
  if (schema === undefined) {
    schema = requestSchema(limits);
    compiled.set(limits, schema);
  }
  return schema;
}

/** The request as the wire has it, in one canonical form: equal requests give equal bytes. */
export function toWireRequest(request: RerankRequest): WireRequest {
  return {
    ...(request.id === "" ? {} : { id: request.id }),
    query: request.query,
    documents: request.documents.map((d) =>
      d.id === undefined ? d.text : { id: d.id, text: d.text },
    ),
    ...(request.topN === undefined ? {} : { top_n: request.topN }),
    ...(request.metadata === undefined ? {} : { metadata: { ...request.metadata } }),
    ...(request.metadataText === undefined ? {} : { metadata_json: request.metadataText }),
  };
}

/** A ranking as a line of output; its metadata as the request spelled them. */
export function rankingLine(ranking: WireRanking, metadataText: string | undefined): string {
  if (metadataText === undefined) return JSON.stringify(ranking);
  const { metadata: _, ...rest } = ranking;
  return `${JSON.stringify(rest).slice(0, -1)},"metadata":${metadataText}}`;
}

/** The published JSON Schemas of request and ranking. */
export function jsonSchemas(): { request: object; ranking: object } {
  return {
    request: z.toJSONSchema(requestSchema(DEFAULT_LIMITS), { io: "input" }),
    ranking: z.toJSONSchema(rankingSchema),
  };
}

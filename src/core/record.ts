import { parseRequest, type Limits, type RerankRequest } from "./contract.js";
import { z } from "zod";
import { nearNames } from "./near-names.js";
import { jsonFlaw } from "./json-flaw.js";
import { alteredText, membersOf } from "./json-text.js";
import { describeError, type ErrorCode } from "./errors.js";

/** A line of input that cannot become a job, or a job that failed: one line of the failed file. */
export interface RecordFailure {
  /** Line number in the input, from 1. */
  readonly line: number;
  /** Absent if the line names none, or if an earlier line has the same. */
  readonly id?: string;
  readonly code: ErrorCode | (string & {});
  readonly reason: string;
  /** The record as it was given: parsed if it is JSON, else its text or the start of it. */
  readonly input: unknown;
  /** The text of `input`, if the parsed form says something else: written in its place. */
  readonly inputText?: string;
}

/** A failure as a line of the failed file. */
export const failureSchema = z.object({
  line: z.int().min(0),
  id: z.string().exactOptional(),
  code: z.string(),
  reason: z.string(),
  input: z.unknown(),
  inputText: z.string().exactOptional(),
});

/** @throws ZodError or SyntaxError for a line that is no failure */
export function parseFailure(line: string): RecordFailure {
  const failure = failureSchema.parse(JSON.parse(line));
  if (failure.inputText !== undefined) return failure;
  const { inputText } = textOf(membersOf(line).get("input"), failure.input);
  return inputText === undefined ? failure : { ...failure, inputText };
}

/** Characters of a line that cannot be read that are shown in its place. */
const SHOWN_CHARS = 1_024;

/** What stands in the place of a failure whose line was damaged: it is not left out in silence. */
export function damagedFailure(line: string, place: string): RecordFailure {
  const reason = `${place} is damaged: it named a record that has failed`;
  return { line: 0, code: "damaged", reason, input: line.slice(0, SHOWN_CHARS) };
}

/** A failure as a line of the failed file. */
export function failureLine({ inputText, ...failure }: RecordFailure): string {
  if (inputText === undefined) return JSON.stringify(failure);
  const { input: _, ...rest } = failure;
  return `${JSON.stringify(rest).slice(0, -1)},"input":${inputText}}`;
}

/** The text of a value that is kept beside it, if the parser has altered the value. */
function textOf(text: string | undefined, input: unknown): { readonly inputText?: string } {
  const altered = text === undefined ? undefined : alteredText(text, input);
  return altered === undefined ? {} : { inputText: altered };
}

export type InputRecord =
  | {
      readonly status: "valid";
      readonly line: number;
      readonly request: RerankRequest;
      /** UTF-8 bytes of the line. */
      readonly bytes: number;
      /** Fields that the contract does not know and that were ignored. */
      readonly ignoredFields: readonly string[];
    }
  | { readonly status: "invalid"; readonly failure: RecordFailure };

/** A record that can become a job. */
export type ValidRecord = Extract<InputRecord, { readonly status: "valid" }>;

const recordSchema = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("valid"),
    line: z.int().min(0),
    request: z.object({
      id: z.string(),
      query: z.string(),
      documents: z.array(z.object({ id: z.string().exactOptional(), text: z.string() })),
      topN: z.int().min(1).exactOptional(),
      metadata: z.record(z.string(), z.unknown()).exactOptional(),
      metadataText: z.string().exactOptional(),
    }),
    bytes: z.int().min(0),
    ignoredFields: z.array(z.string()),
  }),
  z.object({ status: z.literal("invalid"), failure: failureSchema }),
]);

/**
 * Reads a record that was put down as JSON.
 *
 * @throws ZodError or SyntaxError for a line that is no record
 */
export function parseRecord(line: string): InputRecord {
  return recordSchema.parse(JSON.parse(line));
}

/** Brings a parsed line of another shape into that of a request; the contract is checked afterwards. */
export type ToRequest = (
  value: unknown,
) =>
  | { readonly status: "converted"; readonly request: unknown; readonly ignored: readonly string[] }
  | { readonly status: "unusable"; readonly code: ErrorCode; readonly message: string };

const KNOWN_FIELDS = new Set([
  "id",
  "custom_id",
  "query",
  "documents",
  "top_n",
  "top_k",
  "metadata",
  "metadata_json",
]);

/**
 * Reads one line as a record.
 *
 * @param bytes UTF-8 bytes of `text`
 * @param defaultTopN for records that name no top_n of their own
 * @param seen whether an earlier line had this id, and remembers it; called at most once per line, for
 *   refused records too, so that an id stands in the output or in the failed file and never twice
 * @param toRequest for lines of another shape than the contract's
 */
export function readRecord(
  line: number,
  text: string,
  bytes: number,
  limits: Limits,
  defaultTopN: number | undefined,
  seen: (id: string) => boolean,
  toRequest: ToRequest = asItIs,
): InputRecord {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    const reason = `not JSON: ${error instanceof Error ? error.message : String(error)}`;
    return invalid({ line, code: "invalid_json", reason, input: text });
  }
  const flaw = jsonFlaw(input, text, { value: "the record", text: "the line" });
  if (flaw !== undefined) {
    const { code, message: reason } = flaw;
    // What is too deep could not be written down as a value.
    if (flaw.field === undefined) {
      return invalid({ line, code, reason, input: text.slice(0, SHOWN_CHARS) });
    }
    return invalid({ line, code, reason, input, ...textOf(text, input) });
  }
  const converted = toRequest(input);
  if (converted.status === "unusable") {
    const id = idOf(input);
    const known = id === undefined || seen(id);
    const { code, message: reason } = converted;
    return invalid({
      line,
      ...(known ? {} : { id }),
      code,
      reason,
      input,
      ...textOf(text, input),
    });
  }
  const { request: value, ignored } = converted;
  try {
    const request = parseRequest(value, limits, bytes);
    if (seen(request.id)) {
      const reason = `id: "${request.id}" was used by an earlier line`;
      return invalid({ line, code: "duplicate_id", reason, input, ...textOf(text, input) });
    }
    // Naming 0 asks for all, which is not the same as leaving it to the run.
    const topN = request.topN ?? (namesTopN(value) ? undefined : defaultTopN);
    return {
      status: "valid",
      line,
      request: {
        ...request,
        ...(topN === undefined ? {} : { topN }),
        ...(request.metadataText === undefined ? metadataText(text, input, request) : {}),
      },
      bytes,
      ignoredFields: [
        ...Object.keys(value as object).filter((field) => !KNOWN_FIELDS.has(field)),
        ...ignored,
        ...ignoredOfDocuments(value),
      ],
    };
  } catch (error) {
    const { code, message } = describeError(error);
    const id = idOf(value);
    const known = id === undefined || seen(id);
    return invalid({
      line,
      ...(known ? {} : { id }),
      code,
      reason: `${message}${mistyped(message, value)}`,
      input,
      ...textOf(text, input),
    });
  }
}

/** `; is it what "qurey" holds?`, if a field is missing and one has almost its name; else nothing. */
function mistyped(message: string, value: unknown): string {
  const missing = /^(query|documents): is missing/.exec(message)?.[1];
  if (missing === undefined || !isObject(value)) return "";
  const unknown = Object.keys(value).filter((field) => !KNOWN_FIELDS.has(field));
  const [near] = nearNames(missing, unknown);
  return near === undefined ? "" : `; is it what "${near}" holds?`;
}

/**
 * The text of the metadata, if parsing has altered them: they are given back as they came.
 *
 * @param text of `line`
 */
export function metadataText(
  text: string,
  line: unknown,
  { metadata }: Pick<RerankRequest, "metadata">,
): { readonly metadataText?: string } {
  if (metadata === undefined) return {};
  const members = membersOf(text);
  // Formats take metadata over as they are, from the line itself or from its body.
  const own = isObject(line) && line["metadata"] != null;
  const source = own ? members : membersOf(members.get("body") ?? "{}");
  const given = source.get("metadata");
  const altered = given === undefined ? undefined : alteredText(given, metadata);
  return altered === undefined ? {} : { metadataText: altered };
}

const DOCUMENT_FIELDS = new Set(["id", "text"]);

/** Fields of documents that nothing reads, each once: `documents[].title`. */
function ignoredOfDocuments(request: unknown): string[] {
  if (!isObject(request) || !Array.isArray(request["documents"])) return [];
  const ignored = new Set<string>();
  for (const document of request["documents"] as unknown[]) {
    if (!isObject(document)) continue;
    for (const field of Object.keys(document)) {
      if (!DOCUMENT_FIELDS.has(field)) ignored.add(`documents[].${field}`);
    }
  }
  return [...ignored];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asItIs(value: unknown): ReturnType<ToRequest> {
  return { status: "converted", request: value, ignored: [] };
}

function invalid(failure: RecordFailure): InputRecord {
  return { status: "invalid", failure };
}

function idOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { id, custom_id: customId } = value as { id?: unknown; custom_id?: unknown };
  const found = id ?? customId;
  return typeof found === "string" ? found : undefined;
}

function namesTopN(value: unknown): boolean {
  const { top_n: topN, top_k: topK } = value as { top_n?: unknown; top_k?: unknown };
  return (topN ?? topK) != null;
}

import { parseRequest, type Limits, type RerankRequest } from "./contract.js";
import { z } from "zod";
import { describeError, type ErrorCode } from "./errors.js";

/** A line of input that cannot become a job, or a job that failed: one line of the failed file. */
export interface RecordFailure {
  /** Line number in the input, from 1. */
  readonly line: number;
  /** Absent where the line names none, or where an earlier line has the same. */
  readonly id?: string;
  readonly code: ErrorCode | (string & {});
  readonly reason: string;
  /** The record as it was given: parsed where it is JSON, else its text or the start of it. */
  readonly input: unknown;
}

const failureSchema = z.object({
  line: z.int().min(0),
  id: z.string().exactOptional(),
  code: z.string(),
  reason: z.string(),
  input: z.unknown(),
});

/** @throws ZodError or SyntaxError for a line that is no failure */
export function parseFailure(line: string): RecordFailure {
  return failureSchema.parse(JSON.parse(line));
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
]);

/**
 * Reads one line as a record.
 *
 * @param bytes UTF-8 bytes of `text`
 * @param defaultTopN for records that name no top_n of their own
 * @param seen whether an earlier line had this id, and remembers it; called at most once a line, for
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
  const converted = toRequest(input);
  if (converted.status === "unusable") {
    const id = idOf(input);
    const known = id === undefined || seen(id);
    const { code, message: reason } = converted;
    return invalid({ line, ...(known ? {} : { id }), code, reason, input });
  }
  const { request: value, ignored } = converted;
  try {
    const request = parseRequest(value, limits, bytes);
    if (seen(request.id)) {
      const reason = `id: "${request.id}" was used by an earlier line`;
      return invalid({ line, code: "duplicate_id", reason, input });
    }
    // Naming 0 asks for all, which is not the same as leaving it to the run.
    const topN = request.topN ?? (namesTopN(value) ? undefined : defaultTopN);
    return {
      status: "valid",
      line,
      request: topN === undefined ? request : { ...request, topN },
      bytes,
      ignoredFields: [
        ...Object.keys(value as object).filter((field) => !KNOWN_FIELDS.has(field)),
        ...ignored,
      ],
    };
  } catch (error) {
    const { code, message } = describeError(error);
    const id = idOf(value);
    const known = id === undefined || seen(id);
    return invalid({ line, ...(known ? {} : { id }), code, reason: message, input });
  }
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

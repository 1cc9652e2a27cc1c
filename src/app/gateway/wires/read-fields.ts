/** Fields as clients send them: nulls, booleans as strings, and names that other clients use. */
import { z } from "zod";
import { RankmillError } from "../../../core/errors.js";
import { issueText } from "../../../core/issue-text.js";
import type { WireBody } from "../../../core/ports/wire.js";

const BOOLEANS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  ["true", true],
  ["True", true],
  ["1", true],
  [1, true],
  [false, false],
  ["false", false],
  ["False", false],
  ["0", false],
  [0, false],
  ["", false],
  [null, false],
  [undefined, false],
]);

/** A field that other servers read, for the description of the API. */
export const ALWAYS_CUT = "Whatever it says, texts are cut at the model's length.";

/** True or false, also as a string or a number; false if it is absent or null. */
export const flag = z
  .unknown()
  .optional()
  .transform((value, context): boolean => {
    const known = BOOLEANS.get(value);
    if (known === undefined) context.addIssue({ code: "custom", message: "must be true or false" });
    return known ?? false;
  })
  .meta({ type: ["boolean", "string", "integer", "null"], default: false });

/** A whole number, also as a string; undefined if it is absent, null or 0. */
export const count = z
  .unknown()
  .optional()
  .transform((value, context): number | undefined => {
    if (value == null || value === "") return undefined;
    const number = typeof value === "string" ? Number(value) : value;
    if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) {
      return number === 0 ? undefined : number;
    }
    context.addIssue({ code: "custom", message: "must be a whole number of at least 0" });
    return undefined;
  })
  .meta({ type: ["integer", "string", "null"], minimum: 0 });

/** A name; undefined if it is absent, null or empty. */
export const name = z
  .string()
  .max(512)
  .nullish()
  .transform((value) => (value == null || value === "" ? undefined : value))
  .describe("The model; if it is left out, the default one, or the only one that is served.");

const instruction = z
  .string()
  .nullish()
  .transform((value) => (value == null || value === "" ? undefined : value));

/**
 * The names under which clients tell a model what to look for. Every wire reads them, also one whose own server
 * has none: an instruction that came must never be left out of the scores.
 */
export const instructionFields = {
  instruction: instruction.describe("Tells a model with a prompt what to look for."),
  instruct: instruction.describe("Another name of `instruction`."),
};

export function instructionOf(read: {
  readonly instruction?: string | undefined;
  readonly instruct?: string | undefined;
}): string | undefined {
  return firstOf(read.instruction, read.instruct);
}

/** A text, or an object that holds it as `text`. */
export const text = z.union([z.string(), z.object({ text: z.string() })], {
  error: "must be a string, or an object with a string as text",
});

export function textOf(value: z.output<typeof text>): string {
  return typeof value === "string" ? value : value.text;
}

/** The first that is given of several names of one field. */
export function firstOf<T>(...values: readonly (T | undefined)[]): T | undefined {
  return values.find((value) => value !== undefined);
}

/**
 * A body as `schema` reads it.
 *
 * @throws RankmillError `invalid_field`, naming the first field that is wrong
 */
export function readBody<S extends z.ZodType>(schema: S, body: WireBody): z.output<S> {
  const parsed = schema.safeParse(body, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = fieldName(issue?.path ?? []);
  const missing = issue?.code === "invalid_type" && issue.input === undefined;
  const why = missing
    ? `is missing (${issue.expected} expected)`
    : issue === undefined
      ? "is wrong"
      : issueText(issue);
  throw new RankmillError("invalid_field", `${field}: ${why}`, { field });
}

/** Most fields that are named, and of each the most characters: a body may have any number. */
const MOST_NAMED = 20;
const MOST_NAME_CHARS = 64;

/** Warnings of fields that mean nothing here: clients send each other's. */
export function ignoredFields(body: WireBody, known: Iterable<string>): string[] {
  const names = new Set(known);
  const ignored = Object.keys(body).filter((field) => !names.has(field) && body[field] != null);
  const named = ignored
    .slice(0, MOST_NAMED)
    .map((field) => `ignored field: ${field.slice(0, MOST_NAME_CHARS)}`);
  const left = ignored.length - named.length;
  return left > 0 ? [...named, `ignored fields: ${left} more`] : named;
}

function fieldName(path: readonly PropertyKey[]): string {
  const joined = path.reduce<string>((joined, key) => {
    if (typeof key === "number") return `${joined}[${key}]`;
    return joined === "" ? String(key) : `${joined}.${String(key)}`;
  }, "");
  return joined === "" ? "the body" : joined;
}

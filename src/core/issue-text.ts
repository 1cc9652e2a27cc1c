import type { z } from "zod";
import { counted } from "./counted.js";

const KINDS: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  null: "null",
  number: "a number",
  object: "an object",
  record: "an object",
  string: "a string",
};

/** A rule that a value breaks, in plain words that follow the name of its field: "must be a string, not null". */
export function issueText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type": {
      const kind = KINDS[issue.expected] ?? issue.expected;
      return `must be ${kind}${notText(issue.expected, issue.input)}`;
    }
    case "too_small":
      return `must ${sizeText(issue.origin, issue.inclusive === false ? "over" : "at least", issue.minimum)}`;
    case "too_big":
      return `must ${sizeText(issue.origin, issue.inclusive === false ? "below" : "at most", issue.maximum)}`;
    case "invalid_value":
      return `must be ${oneOf(issue.values.map((value) => JSON.stringify(value)))}`;
    case "invalid_union":
      return issue.message === "Invalid input" ? "is of no kind that is read here" : issue.message;
    case "custom":
    case "invalid_element":
    case "invalid_format":
    case "invalid_key":
    case "not_multiple_of":
    case "unrecognized_keys":
      break;
  }
  return issue.message;
}

function sizeText(origin: string, bound: string, limit: number | bigint): string {
  if (origin === "string") return `have ${bound} ${counted(Number(limit), "character")}`;
  if (origin === "array" || origin === "set") {
    return `have ${bound} ${counted(Number(limit), "item")}`;
  }
  return `be ${bound} ${limit}`;
}

function oneOf(values: readonly (string | undefined)[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.join(", ")}`;
}

/** Names the kind of a value that was given instead; nothing if it is not known. */
function notText(expected: string, input: unknown): string {
  if (input === undefined) return "";
  // Of a number that is not whole, and of NaN, it says enough what they must be.
  if (typeof input === "number" && (expected === "int" || expected === "number")) return "";
  if (input === null) return ", not null";
  const kind = KINDS[Array.isArray(input) ? "array" : typeof input];
  return kind === undefined ? "" : `, not ${kind}`;
}

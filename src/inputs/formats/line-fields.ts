/** Helpers that the formats of input lines share: questions about fields, and refusals. */
import type { Conversion, ParsedLine } from "../../core/ports/input-format.js";

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function has(line: ParsedLine, field: string): boolean {
  return line[field] !== undefined;
}

/** The field, unless it is absent: null stays, since the contract takes it. */
export function given(field: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [field]: value };
}

/** Fields of `line` that are not `known`. */
export function othersThan(line: ParsedLine, known: readonly string[]): string[] {
  return Object.keys(line).filter((field) => !known.includes(field));
}

export function unusable(field: string, message: string): Conversion {
  return { status: "unusable", code: "invalid_field", field, message: `${field} ${message}` };
}

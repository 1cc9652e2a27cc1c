import { isTooDeep, MOST_JSON_LEVELS } from "./json-depth.js";
import { repeatedMember } from "./json-text.js";

/** Given back as they came: whatever stands in them twice stays so. */
const OPAQUE: ReadonlySet<string> = new Set(["metadata"]);

/** What makes JSON from outside unusable though it could be parsed. */
export interface JsonFlaw {
  readonly code: "limit_exceeded" | "invalid_field";
  readonly message: string;
  /** The field that stands twice. */
  readonly field?: string;
}

/**
 * @param value what `text` holds
 * @param names of both, as messages have them: "the record", "the line"
 */
export function jsonFlaw(
  value: unknown,
  text: string,
  names: { readonly value: string; readonly text: string },
): JsonFlaw | undefined {
  if (isTooDeep(value)) {
    const message = `${names.value}: lists and objects stand within each other over more than ${MOST_JSON_LEVELS} levels`;
    return { code: "limit_exceeded", message };
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const twice = isObject ? repeatedMember(text, OPAQUE) : undefined;
  if (twice === undefined) return undefined;
  const message = `${twice}: stands twice in ${names.text}: leave one of them`;
  return { code: "invalid_field", message, field: twice };
}

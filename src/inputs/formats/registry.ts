/** Every shape of an input line. A new one is a file beside this and a line in `FORMATS`. */
import { RankmillError } from "../../core/errors.js";
import type { Conversion, InputFormat, ParsedLine } from "../../core/ports/input-format.js";
import { nearNames } from "../../core/near-names.js";
import { flagEmbedding } from "./flagembedding.js";
import { job } from "./job.js";
import { DOCUMENT_NAMES, QUERY_NAMES } from "./field-names.js";
import { has, isObject } from "./line-fields.js";
import { openAiBatch } from "./openai-batch.js";
import { otherNames } from "./other-names.js";
import { pair } from "./pair.js";

/** The formats, in the order in which they are tried on a line. */
const FORMATS = [job, openAiBatch, flagEmbedding, pair, otherNames] as const;

const MOST_SHOWN_FIELDS = 12;
const MOST_FIELD_CHARS = 40;

/** Any shape, each line's own told by its fields. */
const AUTO = "auto";

export type InputFormatName = typeof AUTO | (typeof FORMATS)[number]["name"];

/** Values of `--input-format`. */
export const INPUT_FORMATS: readonly InputFormatName[] = [AUTO, ...FORMATS.map(({ name }) => name)];

/** The formats themselves, for whatever must hold of each. */
export function inputFormats(): readonly InputFormat[] {
  return FORMATS;
}

/** @returns undefined for a line of no known shape */
export function detectFormat(line: ParsedLine): InputFormat | undefined {
  return FORMATS.find((format) => format.detect(line));
}

/**
 * Brings parsed lines of one shape, or of any, into that of a request.
 *
 * @param name of `INPUT_FORMATS`
 * @throws RankmillError `invalid_option` for a name that no format has
 */
export function converterOf(name: string): (line: unknown) => Conversion {
  const only: InputFormat | undefined = FORMATS.find((format) => format.name === name);
  if (only === undefined && name !== AUTO) {
    const known = INPUT_FORMATS.join(", ");
    throw new RankmillError("invalid_option", `input format "${name}" is not known: ${known} are`);
  }
  return (line) => {
    if (!isObject(line)) return noObject(line);
    const format = only ?? detectFormat(line);
    if (format !== undefined) return format.toRequest(line);
    // An empty one is held against the contract, whose errors say what is missing.
    return Object.keys(line).length === 0 ? job.toRequest(line) : lacksField(line);
  };
}

/** Says which field is missing, which there are, and which one may be meant. */
function lacksField(line: ParsedLine): Conversion {
  const fields = Object.keys(line);
  const hasQuery = QUERY_NAMES.some((name) => has(line, name));
  const [field, names] = hasQuery
    ? (["documents", DOCUMENT_NAMES] as const)
    : (["query", QUERY_NAMES] as const);
  const near = fields.find((one) => nearNames(one, names).length > 0);
  const meant = near === undefined ? "" : `; is ${shown(near)} meant?`;
  const there = fields.slice(0, MOST_SHOWN_FIELDS).map(shown).join(", ");
  const more = fields.length > MOST_SHOWN_FIELDS ? ", …" : "";
  const message = `${field}: is missing (also read as ${names.slice(1).join(", ")}), and the record has ${there}${more}${meant}`;
  return { status: "unusable", code: "invalid_field", field, message };
}

function shown(field: string): string {
  return field.length > MOST_FIELD_CHARS ? `${field.slice(0, MOST_FIELD_CHARS)}…` : field;
}

function noObject(line: unknown): Conversion {
  const kind = Array.isArray(line) ? "array" : line === null ? "null" : typeof line;
  const message = `the record: expected object, received ${kind}`;
  return { status: "unusable", code: "invalid_field", field: "", message };
}

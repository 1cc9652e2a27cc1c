import { isUtf8 } from "node:buffer";
import { RankmillError } from "../../src/core/errors.js";
import { isTooDeep, MOST_JSON_LEVELS } from "../../src/core/json-depth.js";
import { repeatedMember } from "../../src/core/json-text.js";
import { isObject } from "../../src/inputs/formats/line-fields.js";

/** Some clients on Windows put it before every text. */
const BYTE_ORDER_MARK = "\ufeff";

/** Given back as it came, whatever it holds. */
const OPAQUE: ReadonlySet<string> = new Set(["metadata"]);

/** The JSON of a body, and its text. @throws RankmillError `invalid_json` */
export function parseJson(bytes: Buffer): { readonly value: unknown; readonly text: string } {
  // Decoded all the same, it would rank other texts than were sent.
  if (!isUtf8(bytes)) throw new RankmillError("invalid_json", "the body is not UTF-8");
  const decoded = bytes.toString("utf8");
  const text = decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RankmillError("invalid_json", "the body is not JSON");
  }
  if (isTooDeep(value)) {
    const message = `the body: lists and objects stand within each other over more than ${MOST_JSON_LEVELS} levels`;
    throw new RankmillError("limit_exceeded", message);
  }
  const twice = isObject(value) ? repeatedMember(text, OPAQUE) : undefined;
  if (twice !== undefined) {
    const message = `${twice}: stands twice in the body: leave one of them`;
    throw new RankmillError("invalid_field", message, { field: twice });
  }
  return { value, text };
}

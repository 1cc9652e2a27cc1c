import { isUtf8 } from "node:buffer";
import { RankmillError } from "../../src/core/errors.js";
import { jsonFlaw } from "../../src/core/json-flaw.js";

/** Some clients on Windows put it before every text. */
const BYTE_ORDER_MARK = "\ufeff";

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
  const flaw = jsonFlaw(value, text, { value: "the body", text: "the body" });
  if (flaw !== undefined) {
    const { code, message, field } = flaw;
    throw new RankmillError(code, message, { field });
  }
  return { value, text };
}

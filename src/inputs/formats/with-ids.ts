import type { RequestFields } from "../../core/ports/input-format.js";
import { given, isObject } from "./line-fields.js";

/**
 * A request whose ids are texts: whole numbers become texts, and a record without an id is named
 * after its place, `line-7`. A number too large to be exact stays one, and the contract refuses it.
 *
 * @param line the number of its line, or of its item in an array
 */
export function withIds(
  request: RequestFields & { readonly custom_id?: unknown },
  line: number,
): RequestFields {
  const { id, custom_id: customId, documents } = request;
  // The contract says what is wrong with two names.
  if (id != null && customId != null) return request;
  const told = id ?? customId;
  const named = told == null ? `line-${line}` : textId(told);
  const numbered = Array.isArray(documents) && documents.some(hasNumber);
  if (named === told && !numbered) return request;
  const { custom_id: _, ...others } = request;
  return { ...others, id: named, ...(numbered ? { documents: documents.map(withTextId) } : {}) };
}

function hasNumber(document: unknown): boolean {
  return isObject(document) && typeof document["id"] === "number";
}

function withTextId(document: unknown): unknown {
  return isObject(document) ? { ...document, ...given("id", textId(document["id"])) } : document;
}

function textId(id: unknown): unknown {
  return Number.isSafeInteger(id) ? String(id) : id;
}

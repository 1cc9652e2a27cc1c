/** A file that is one JSON object with all records in it: its shape, and the line of jq that takes it apart. */
import { DOCUMENT_NAMES, QUERY_NAMES } from "./formats/field-names.js";
import { isObject } from "./formats/line-fields.js";

const SHOWN_KEY_CHARS = 40;

/**
 * @param value the only record of the file, which is none
 * @param name of the file
 * @returns the rest of the sentence that begins with the name; undefined for an object of no known shape
 */
export function shapeOfObject(value: unknown, name: string): string | undefined {
  if (!isObject(value)) return undefined;
  if (Object.keys(value).some(isField)) return columns(value, name);
  const entries = Object.entries(value);
  const [first] = entries;
  if (first === undefined) return undefined;
  const values = entries.map(([, one]) => one);
  const list = entries.find(([, one]) => Array.isArray(one) && one.some(isRecord));
  if (list !== undefined) {
    return `is one object that holds its records in ${shown(list[0])}: ${jq(`.[${JSON.stringify(list[0])}][]`, name)}`;
  }
  const keys = `is one object with keys such as ${shown(first[0])}`;
  if (values.every(isRecord)) {
    return `${keys}, each a record: ${jq("to_entries[] | {id: .key} + .value", name)}`;
  }
  if (values.every(Array.isArray)) {
    return `${keys}. If each key is a query and its list the documents: ${jq("to_entries[] | {query: .key, documents: .value}", name)}`;
  }
  if (values.every((one) => isObject(one) && Object.values(one).every(isText))) {
    const documents = "[.value | to_entries[] | {id: .key, text: .value}]";
    return `${keys}. If each key is a query and its object the documents by their ids: ${jq(`to_entries[] | {query: .key, documents: ${documents}}`, name)}`;
  }
  return undefined;
}

/** A table that lies in columns, as pandas writes one by default: lists, or objects with the same keys. */
function columns(value: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const query = QUERY_NAMES.find((one) => value[one] !== undefined);
  const documents = DOCUMENT_NAMES.find((one) => value[one] !== undefined);
  if (query === undefined || documents === undefined) return undefined;
  const [left, right] = [value[query], value[documents]];
  const areLists = Array.isArray(left) && Array.isArray(right);
  const areObjects = isObject(left) && isObject(right) && !("text" in left);
  if (!areLists && !areObjects) return undefined;
  const keys = areLists ? "range(0; $t[$q] | length)" : "$t[$q] | keys_unsorted[]";
  const filter = `. as $t | ${JSON.stringify(query)} as $q | ${keys} | {query: $t[$q][.], documents: [$t[${JSON.stringify(documents)}][.]] | flatten}`;
  return `holds a table in columns, and a record is an object: ${jq(filter, name)}`;
}

function jq(filter: string, name: string): string {
  return `jq -c '${filter}' ${name} > ${name}.jsonl`;
}

function shown(key: string): string {
  return JSON.stringify(key.length > SHOWN_KEY_CHARS ? `${key.slice(0, SHOWN_KEY_CHARS)}…` : key);
}

function isField(key: string): boolean {
  return ([...QUERY_NAMES, ...DOCUMENT_NAMES] as readonly string[]).includes(key);
}

function isRecord(value: unknown): boolean {
  return isObject(value) && Object.keys(value).some(isField);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

/** Schemas as tables of their fields. */
import { markup, phrase, type Markup } from "../../page/markup.js";
import { refName, type ShownSchema } from "./read-document.js";

/** Levels of objects in objects that are shown; deeper ones are rare, and stand in the document. */
const MOST_LEVELS = 4;

interface Field {
  readonly name: string;
  readonly required: boolean;
  readonly schema: ShownSchema;
}

/** The anchor of a named schema. */
export function schemaAnchor(name: string): string {
  return `schema-${name}`;
}

/** The type of a value on one line, with links to schemas that have a name. */
export function typeOf(schema: ShownSchema): Markup {
  const { $ref, anyOf, oneOf, type, items, enum: values } = schema;
  if (typeof $ref === "string") {
    const name = refName($ref);
    return markup`<a href="#${schemaAnchor(name)}">${name}</a>`;
  }
  const choices = listed(anyOf) ?? listed(oneOf);
  if (choices !== undefined) return joined(choices.map(typeOf), " or ");
  if (Array.isArray(values)) return joined(values.map(literal), " or ");
  if ("const" in schema) return literal(schema["const"]);
  if (type === "array") return markup`array of ${isSchema(items) ? typeOf(items) : "any"}`;
  if (Array.isArray(type)) return markup`${type.join(" or ")}`;
  return markup`${typeof type === "string" ? type : "any"}`;
}

/** A table of the fields of an object, or of the objects in an array or a choice. */
export function fieldsTable(schema: ShownSchema): Markup {
  const rows = rowsOf(schema, "", MOST_LEVELS);
  if (rows.length === 0) return markup`<p>${typeOf(schema)}</p>`;
  return markup`<div class="wide"><table>
<thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function rowsOf(schema: ShownSchema, prefix: string, levels: number): Markup[] {
  if (levels === 0) return [];
  return fieldsOf(schema).flatMap(({ name, required, schema: field }) => {
    const path = `${prefix}${name}`;
    const inner = isSchema(field["items"]) ? field["items"] : field;
    return [
      markup`<tr><th scope="row"><code>${path}</code>${required ? markup` <em>required</em>` : ""}</th>
<td>${typeOf(field)}</td><td>${meaningOf(field)}</td></tr>`,
      ...rowsOf(inner, inner === field ? `${path}.` : `${path}[].`, levels - 1),
    ];
  });
}

function fieldsOf(schema: ShownSchema): Field[] {
  const { properties, required, items } = schema;
  if (isSchema(items)) return fieldsOf(items);
  const choices = listed(schema["anyOf"]) ?? listed(schema["oneOf"]);
  if (choices !== undefined) {
    const found = choices.flatMap(fieldsOf);
    return [...new Map(found.map((field) => [field.name, field])).values()];
  }
  if (!isSchema(properties)) return [];
  const names = Array.isArray(required) ? required : [];
  return Object.entries(properties).flatMap(([name, field]) =>
    isSchema(field) ? [{ name, required: names.includes(name), schema: field }] : [],
  );
}

function meaningOf(schema: ShownSchema): Markup[] {
  const { description, minimum, maximum, default: usual } = schema;
  const bounds = [
    typeof minimum === "number" ? `at least ${minimum}` : "",
    typeof maximum === "number" ? `at most ${maximum}` : "",
    usual === undefined ? "" : `usually ${JSON.stringify(usual)}`,
  ].filter((one) => one !== "");
  const text = typeof description === "string" ? description : "";
  return phrase(bounds.length === 0 ? text : `${text} (${bounds.join(", ")})`.trim());
}

function isSchema(value: unknown): value is ShownSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listed(value: unknown): ShownSchema[] | undefined {
  return Array.isArray(value) ? value.filter(isSchema) : undefined;
}

function literal(value: unknown): Markup {
  return markup`<code>${JSON.stringify(value)}</code>`;
}

function joined(parts: readonly Markup[], by: string): Markup {
  return markup`${parts.map((part, place) => (place === 0 ? part : markup`${by}${part}`))}`;
}

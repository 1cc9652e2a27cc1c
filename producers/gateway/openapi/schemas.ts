/** Schemas of zod as OpenAPI has them. */
import { z } from "zod";
import { NAMED_SCHEMAS } from "./named.js";

/** JSON as the description holds it. */
export type Json = Readonly<Record<string, unknown>>;

/** Bodies are described as they are sent; answers have nothing that is read in another way. */
const OPTIONS = { io: "input", target: "draft-2020-12" } as const;

function refTo(id: string): string {
  return `#/components/schemas/${id}`;
}

/** All named schemas by their names. */
export function namedSchemas(): Record<string, Json> {
  const { schemas } = z.toJSONSchema(NAMED_SCHEMAS, { ...OPTIONS, uri: refTo });
  return Object.fromEntries(
    Object.entries(schemas)
      .map(([id, schema]): [string, Json] => [id, cleaned(schema as Json)])
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

/** A reference to a schema that has a name; any other as it is. */
export function schemaOf(schema: z.ZodType): Json {
  const id = NAMED_SCHEMAS.get(schema)?.id;
  return id === undefined ? cleaned(z.toJSONSchema(schema, OPTIONS)) : { $ref: refTo(id) };
}

/** One of several schemas. */
export function anyOf(schemas: readonly z.ZodType[]): Json {
  const [first, ...others] = schemas.map(schemaOf);
  return first !== undefined && others.length === 0 ? first : { anyOf: [first, ...others] };
}

/** The fields of an object, each with its schema. */
export function fieldsOf(schema: z.ZodObject): { name: string; required: boolean; schema: Json }[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, OPTIONS);
  return Object.entries(properties).map(([name, field]) => ({
    name,
    required: required.includes(name),
    schema: cleaned(field as Json),
  }));
}

/** Keywords that say where a schema stands, and bounds that every number of JavaScript has. */
function cleaned(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => {
    if (key === "$schema" || key === "$id") return undefined;
    const isBound = key === "maximum" || key === "minimum";
    return isBound && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER ? undefined : value;
  }) as Json;
}

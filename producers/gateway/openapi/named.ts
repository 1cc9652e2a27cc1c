import { z } from "zod";

/** The schemas that the API's description names, so that programs made from it have types by these names. */
export const NAMED_SCHEMAS = z.registry<{ id: string }>();

/** Gives a schema its name in the API's description. */
export function named<S extends z.ZodType>(id: string, schema: S): S {
  NAMED_SCHEMAS.add(schema, { id });
  return schema;
}

/** The parts of an OpenAPI document that the page shows. */
import { z } from "zod";

const schema = z.record(z.string(), z.unknown());
const example = z.object({ summary: z.string(), value: z.unknown() });
const content = z.record(z.string(), z.object({ schema, examples: z.record(z.string(), example) }));

const parameter = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean(),
  description: z.string().optional(),
  schema,
});

const answer = z.object({
  description: z.string(),
  headers: z.record(z.string(), z.unknown()).default({}),
  content: content.default({}),
});

const ref = z.object({ $ref: z.string() });

const operation = z.object({
  operationId: z.string(),
  tags: z.tuple([z.string()]),
  summary: z.string(),
  description: z.string().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  servers: z.array(z.object({ url: z.string(), description: z.string() })).default([]),
  parameters: z.array(z.union([ref, parameter])),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.union([ref, answer])),
  "x-codeSamples": z.array(z.object({ label: z.string(), source: z.string() })),
});

const documentSchema = z.object({
  info: z.object({ title: z.string(), version: z.string(), description: z.string() }),
  servers: z.tuple([z.object({ url: z.string() })]),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({
    schemas: z.record(z.string(), schema),
    parameters: z.record(z.string(), parameter),
    responses: z.record(z.string(), answer),
  }),
});

export type ShownDocument = z.output<typeof documentSchema>;
export type ShownOperation = z.output<typeof operation>;
export type ShownSchema = z.output<typeof schema>;
export type ShownContent = z.output<typeof content>;

/** @throws ZodError for what is no document of this API */
export function readDocument(document: unknown): ShownDocument {
  return documentSchema.parse(document);
}

/** The last part of a reference: `#/components/schemas/Job` is Job. */
export function refName(value: string): string {
  return value.slice(value.lastIndexOf("/") + 1);
}

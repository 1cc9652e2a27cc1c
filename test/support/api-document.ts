/** The gateway's OpenAPI document, and answers held against it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { z } from "zod";

const schema = z.record(z.string(), z.unknown());
const content = z.record(
  z.string(),
  z.object({ schema, examples: z.record(z.string(), z.object({ value: z.unknown() })) }),
);
const answer = z.object({
  headers: z.record(z.string(), schema).default({}),
  content: content.default({}),
});
const ref = z.object({ $ref: z.string() });
const parameter = z.object({ name: z.string(), in: z.string(), example: z.unknown().optional() });
const operation = z.object({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  servers: z.array(z.object({ url: z.string() })).optional(),
  parameters: z.array(z.union([ref, parameter])),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.union([ref, answer])),
  "x-codeSamples": z.array(z.object({ source: z.string() })),
});
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({
    schemas: z.record(z.string(), schema),
    parameters: z.record(z.string(), parameter),
    responses: z.record(z.string(), answer),
  }),
});

type Schema = z.output<typeof schema>;
export type DescribedAnswer = z.output<typeof answer>;

/** An operation as the document describes it. */
export interface DescribedOperation {
  /** `post /v1/rerank`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly described: z.output<typeof operation>;
}

/** Headers of every answer, which say nothing of the API. */
const USUAL_HEADERS = new Set([
  "cache-control",
  "connection",
  "content-length",
  "content-security-policy",
  "content-type",
  "cross-origin-resource-policy",
  "date",
  "keep-alive",
  "referrer-policy",
  "transfer-encoding",
  "x-content-type-options",
]);

export class ApiDocument {
  readonly operations: readonly DescribedOperation[];
  readonly #document: z.output<typeof documentSchema>;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<Schema, ValidateFunction>();

  constructor(json: unknown) {
    this.#document = documentSchema.parse(json);
    this.operations = Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => ({
        name: `${method} ${path}`,
        method: method.toUpperCase(),
        path,
        described,
      })),
    );
    this.#ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
    for (const [name, one] of Object.entries(this.schemas)) {
      this.#ajv.addSchema(closed(one), `schema-${name}`);
    }
  }

  get schemas(): Readonly<Record<string, Schema>> {
    return this.#document.components.schemas;
  }

  operation(name: string): DescribedOperation {
    const found = this.operations.find((one) => one.name === name);
    if (found === undefined) throw new Error(`the document has no ${name}`);
    return found;
  }

  /** Values of its parameters in examples. @param place `path`, `query` or `header` */
  exampleParameters({ described }: DescribedOperation, place: string): Map<string, unknown> {
    const all = described.parameters.map((one) =>
      "$ref" in one ? this.#document.components.parameters[lastOf(one.$ref)] : one,
    );
    return new Map(
      all.flatMap((one) =>
        one?.in === place && one.example !== undefined ? [[one.name, one.example]] : [],
      ),
    );
  }

  /** The answer that an operation describes for a status. */
  answerTo({ described, name }: DescribedOperation, status: number): DescribedAnswer {
    const found = described.responses[String(status)];
    const answer =
      found !== undefined && "$ref" in found
        ? this.#document.components.responses[lastOf(found.$ref)]
        : found;
    if (answer === undefined) throw new Error(`${name} describes no answer ${status}`);
    return answer;
  }

  /** What is wrong with a value; fields that no schema names are wrong too. */
  errorsOf(value: unknown, schema: Schema): string[] {
    let validate = this.#validators.get(schema);
    if (validate === undefined) {
      validate = this.#ajv.compile(closed(schema));
      this.#validators.set(schema, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath} ${message ?? ""} ${JSON.stringify(params)}`,
    );
  }

  /** What is wrong with a live answer: its status, its type, its body or its headers. */
  async errorsOfAnswer(operation: DescribedOperation, response: Response): Promise<string[]> {
    const { status, headers } = response;
    const text = await response.text();
    const where = `${operation.name} ${status}`;
    const described = operation.described.responses[String(status)];
    if (described === undefined) return [`${where} is not described: ${text.slice(0, 500)}`];
    const { content, headers: known } = this.answerTo(operation, status);
    const names = new Set(Object.keys(known).map((name) => name.toLowerCase()));
    const unknown = [...headers.keys()].filter(
      (name) => !USUAL_HEADERS.has(name) && !names.has(name),
    );
    return [
      ...unknown.map((name) => `${where}: the header ${name} is not described`),
      ...this.#errorsOfBody(content, headers.get("content-type"), text).map(
        (error) => `${where}: ${error} in ${text.slice(0, 500)}`,
      ),
    ];
  }

  #errorsOfBody(described: z.output<typeof content>, type: string | null, text: string): string[] {
    const bare = (type ?? "").split(";", 1)[0]?.trim() ?? "";
    if (Object.keys(described).length === 0)
      return text === "" ? [] : ["a body that is not described"];
    const found = described[bare];
    if (found === undefined) return [`the type ${bare} is not described`];
    return valuesIn(bare, text).flatMap((value) => this.errorsOf(value, found.schema));
  }
}

/** The values of a body that the schema of its type describes. */
export function valuesIn(type: string, text: string): unknown[] {
  if (type === "application/json") return [JSON.parse(text)];
  if (type !== "application/x-ndjson") return [text];
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line): unknown => JSON.parse(line));
}

/**
 * The same schema, to which a field that it does not name is an error: clients ignore such fields, and a test must
 * not. References lead to the schemas of the document.
 */
export function closed(value: unknown): Schema {
  return JSON.parse(JSON.stringify(value), (key, one: unknown) => {
    if (key === "$ref" && typeof one === "string") return `schema-${lastOf(one)}`;
    if (!isSchema(one) || !isSchema(one["properties"]) || one["type"] !== "object") return one;
    return { additionalProperties: false, ...one };
  }) as Schema;
}

/** What is wrong with a value, by a schema of zod as the description of the API has it. */
export function errorsOf(type: z.ZodType, value: unknown): string[] {
  const validate = new Ajv2020({ strict: false, allErrors: true }).compile(
    closed(z.toJSONSchema(type, { io: "input" })),
  );
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message }) => `${instancePath} ${message ?? ""}`,
  );
}

/** The schema of OpenAPI documents, by the OpenAPI Initiative. */
export function openApiErrors(document: unknown): string[] {
  const file = join(import.meta.dirname, "../fixtures/openapi/schema-3.1.json");
  // The schema names formats, which are annotations to a validator of JSON Schema.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(JSON.parse(readFileSync(file, "utf8")) as object);
  if (validate(document)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message }) => `${instancePath} ${message ?? ""}`,
  );
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function lastOf(ref: string): string {
  return ref.slice(ref.lastIndexOf("/") + 1);
}

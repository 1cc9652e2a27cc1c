/** The description of the gateway's HTTP API, as OpenAPI 3.1 has it. */
import { objectProblemSchema, textProblemSchema } from "../../../src/app/gateway/wires/problems.js";
import { packageVersion } from "../../../src/platform/package-root.js";
import { answersOf, commonProblems } from "./answers.js";
import { contentOf } from "./content.js";
import { curlOf, requestsOf } from "./curl.js";
import { ANSWER_HEADERS, REQUEST_HEADERS } from "./headers.js";
import { named } from "./named.js";
import { GROUPS, type Operation } from "./operation.js";
import { operations } from "./operations.js";
import { fieldsOf, namedSchemas, type Json } from "./schemas.js";

named("Problem", objectProblemSchema);
named("TextProblem", textProblemSchema);

/** The address of a gateway that was started without options. */
export const SERVER_URL = "http://localhost:8780";

const ABOUT = [
  "The gateway answers the rerank APIs of other servers, and has an API of its own for work that nobody waits for.",
  "A key is sent as `Authorization: Bearer KEY`, as `Authorization: KEY`, as `X-API-Key` or as `api-key`. On the loopback none is asked for until the first key is added.",
  "Every answer has an `X-Request-Id`. Headers that are too slow or too large end the connection with 408 or 431, before any route.",
  "Limits are those of a gateway that was started without options.",
];

/** Ways to name a key. The rights beside each are those of which the key needs one. */
const KEY_SCHEMES: Readonly<Record<string, Json>> = {
  bearer: { type: "http", scheme: "bearer" },
  rawToken: {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description: "The key alone.",
  },
  xApiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
  apiKey: { type: "apiKey", in: "header", name: "api-key" },
};

/** Makes the document. It is equal for every gateway of a version. */
export function openApiDocument(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations()) {
    const path = templateOf(operation.path);
    paths[path] = { ...paths[path], [operation.method]: describe(operation) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "rankmill",
      version: packageVersion(),
      summary: "Reranking as durable jobs",
      description: ABOUT.join("\n\n"),
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: SERVER_URL, description: "A gateway that was started without options." }],
    tags: Object.entries(GROUPS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: namedSchemas(),
      securitySchemes: KEY_SCHEMES,
      parameters: headerParameters(),
      headers: headerObjects(),
      responses: commonProblems(),
    },
  };
}

/** `/v1/jobs/:id` as OpenAPI spells it. */
export function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, "{$1}");
}

function describe(operation: Operation): Json {
  const { id, group, summary, description, scopes, server, bodies } = operation;
  return {
    operationId: id,
    tags: [group],
    summary,
    ...(description !== undefined && { description }),
    ...(server !== undefined && { servers: [server] }),
    security: scopes === undefined ? [] : securityOf(scopes),
    parameters: parametersOf(operation),
    ...(bodies !== undefined && {
      requestBody: {
        required: true,
        content: Object.fromEntries(bodies.map((body) => [body.type, contentOf(body)])),
      },
    }),
    responses: answersOf(operation),
    "x-codeSamples": requestsOf(operation).map((request) => ({
      lang: "Shell",
      label: request.summary,
      source: curlOf(request, server?.url ?? SERVER_URL),
    })),
  };
}

/** Any one of the rights, in a key that is named in any of the ways. */
function securityOf(scopes: readonly string[]): Json[] {
  const lists = scopes.length === 0 ? [[]] : scopes.map((scope) => [scope]);
  return Object.keys(KEY_SCHEMES).flatMap((name) => lists.map((list) => ({ [name]: list })));
}

function parametersOf({ pathParameter, query, queryExample, headers = [] }: Operation): Json[] {
  const inPath =
    pathParameter === undefined
      ? []
      : [{ in: "path", required: true, schema: { type: "string" }, ...pathParameter }];
  const inQuery = (query === undefined ? [] : fieldsOf(query)).map(({ name, required, schema }) => {
    const { description, ...rest } = schema;
    const example = queryExample?.[name];
    return {
      name,
      in: "query",
      required,
      description,
      schema: rest,
      ...(example !== undefined && { example: exampleOf(example, rest) }),
    };
  });
  const inHeaders = [...headers, "X-Request-Id", "traceparent"].map((name) => ({
    $ref: `#/components/parameters/${name}`,
  }));
  return [...inPath, ...inQuery, ...inHeaders];
}

/** A value of a URL as its schema has it. */
function exampleOf(text: string, { type }: Json): unknown {
  if (type === "array") return [text];
  return type === "integer" || type === "number" ? Number(text) : text;
}

function headerParameters(): Json {
  return Object.fromEntries(
    Object.entries(REQUEST_HEADERS).map(([name, { description, example }]) => [
      name,
      { name, in: "header", required: false, description, schema: { type: "string" }, example },
    ]),
  );
}

function headerObjects(): Json {
  return Object.fromEntries(
    Object.entries(ANSWER_HEADERS).map(([name, { description, example }]) => [
      name,
      { description, schema: { type: "string" }, example },
    ]),
  );
}

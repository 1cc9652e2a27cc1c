/** Examples as requests that can be sent as they are. */
import type { Body, Operation } from "./operation.js";

/** An example of an operation. */
export interface ExampleRequest {
  readonly summary: string;
  readonly method: string;
  /** With the values of its parameters. */
  readonly path: string;
  readonly needsKey: boolean;
  readonly body?: Pick<Body, "type"> & { readonly value: unknown };
}

/** The variable of the shell that holds a key. */
const KEY_VARIABLE = "$RANKMILL_API_KEY";

/** The requests of an operation's examples. */
export function requestsOf(operation: Operation): ExampleRequest[] {
  const { summary, scopes, pathParameter, queryExample, bodies } = operation;
  const method = operation.method.toUpperCase();
  const path =
    pathParameter === undefined
      ? operation.path
      : operation.path.replace(`:${pathParameter.name}`, pathParameter.example);
  const query =
    queryExample === undefined ? "" : `?${new URLSearchParams(queryExample).toString()}`;
  const common = { method, needsKey: scopes !== undefined };
  if (bodies === undefined) return [{ ...common, summary, path: path + query }];
  return bodies.flatMap(({ type, examples }) =>
    examples.map(({ summary, value }) => ({
      ...common,
      summary,
      // Beside a body of JSON the settings stand in the body.
      path: type === "application/json" ? path : path + query,
      body: { type, value },
    })),
  );
}

/** A request as a line for the shell, of curl. */
export function curlOf({ method, path, needsKey, body }: ExampleRequest, server: string): string {
  const parts = [
    method === "GET" ? "curl" : `curl -X ${method}`,
    quoted(server + path),
    ...(needsKey ? [`-H "Authorization: Bearer ${KEY_VARIABLE}"`] : []),
    ...(body === undefined ? [] : bodyParts(body)),
  ];
  return parts.join(" \\\n  ");
}

function bodyParts({ type, value }: NonNullable<ExampleRequest["body"]>): string[] {
  if (type === "multipart/form-data") {
    return Object.entries(value as Record<string, string>).map(([name, text]) =>
      // A file from standard input or a variable would need a second line.
      name === "file"
        ? `-F ${quoted(`file=${text.trimEnd()};filename=requests.jsonl`)}`
        : `-F ${quoted(`${name}=${text}`)}`,
    );
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return [`-H 'Content-Type: ${type}'`, `--data-binary ${quoted(text.trimEnd())}`];
}

/** A text as one word of the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

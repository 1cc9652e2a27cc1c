/** The answers of an operation: what it gives, and its errors. */
import type { z } from "zod";
import {
  objectProblem,
  objectProblemSchema,
  textProblem,
  textProblemSchema,
} from "../../../src/app/gateway/wires/problems.js";
import { contentOf } from "./content.js";
import { EXAMPLE_IDS } from "./examples.js";
import type { AnswerHeaderName } from "./headers.js";
import type { Answer, Operation } from "./operation.js";
import { PROBLEMS } from "./problems.js";
import type { Json } from "./schemas.js";

/** Each form of an error, and the way in which it is written. */
const FORMS = new Map<z.ZodType, typeof objectProblem>([
  [objectProblemSchema, objectProblem],
  [textProblemSchema, textProblem],
]);

export function answersOf({ answers, problems, problemSchemas }: Operation): Json {
  const described = [
    ...answers.map(({ status, ...answer }): [number, Json] => [status, describe(answer)]),
    ...problems.map((status): [number, Json] => [
      status,
      problemSchemas === undefined
        ? { $ref: `#/components/responses/${status}` }
        : describe(problemAnswer(status, [...new Set([objectProblemSchema, ...problemSchemas])])),
    ]),
  ];
  return Object.fromEntries(described.map(([status, answer]) => [String(status), answer]));
}

/** Errors in their usual form, by their status. */
export function commonProblems(): Json {
  return Object.fromEntries(
    Object.keys(PROBLEMS).map((status) => [
      status,
      describe(problemAnswer(Number(status), [objectProblemSchema])),
    ]),
  );
}

function describe({
  description,
  headers = [],
  ownHeaders = {},
  body,
}: Omit<Answer, "status">): Json {
  return {
    description:
      body?.description === undefined ? description : `${description} ${body.description}`,
    headers: {
      ...refs(["X-Request-Id", ...headers]),
      ...Object.fromEntries(
        Object.entries(ownHeaders).map(([name, meaning]) => [
          name,
          { description: meaning, schema: { type: "string" } },
        ]),
      ),
    },
    ...(body !== undefined && { content: { [body.type]: contentOf(body) } }),
  };
}

function refs(names: readonly AnswerHeaderName[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function problemAnswer(status: number, schemas: readonly z.ZodType[]): Omit<Answer, "status"> {
  const known = PROBLEMS[status];
  if (known === undefined) throw new RangeError(`no error is described with the status ${status}`);
  const { description, code, message, field, headers = [] } = known;
  const problem = { id: EXAMPLE_IDS.request, status, code, message, field };
  const url = `/v1/jobs/${EXAMPLE_IDS.job}`;
  const late = status === 504 ? { job: { id: EXAMPLE_IDS.job, url } } : {};
  const examples = schemas.flatMap((schema) => {
    const write = FORMS.get(schema);
    return write === undefined
      ? []
      : [{ summary: description, value: { ...write(problem), ...late } }];
  });
  return { description, headers, body: { type: "application/json", schemas, examples } };
}

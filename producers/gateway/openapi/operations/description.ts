import { z } from "zod";
import type { Operation } from "../operation.js";

const OF_DESCRIPTION = { method: "get", group: "Description", problems: [] } as const;

export const descriptionOperations: readonly Operation[] = [
  {
    ...OF_DESCRIPTION,
    path: "/openapi.json",
    id: "getOpenApi",
    summary: "The description of this API, for programs",
    answers: [
      {
        status: 200,
        description: "A document of OpenAPI 3.1.",
        body: {
          type: "application/json",
          schemas: [z.looseObject({ openapi: z.string() })],
          examples: [{ summary: "Its first line", value: { openapi: "3.1.0" } }],
        },
      },
    ],
  },
  {
    ...OF_DESCRIPTION,
    path: "/docs",
    id: "getDocs",
    summary: "The same, for people",
    answers: [
      {
        status: 200,
        description: "A page that needs nothing from elsewhere.",
        body: {
          type: "text/html",
          schemas: [z.string()],
          examples: [{ summary: "Its beginning", value: "<!doctype html>" }],
        },
      },
    ],
  },
];

/** The routes of wires: one operation for each path, which may take the bodies of several wires. */
import type { AnswerFacts, Wire } from "../../../../src/core/ports/wire.js";
import type { Ranked } from "../../../../src/core/rank-call.js";
import { documentsWire } from "../../../../src/app/gateway/wires/documents.js";
import { firstWireOf, WIRES, wirePaths } from "../../../../src/app/gateway/wires/registry.js";
import { writeJson } from "../../../../src/app/gateway/wires/write-json.js";
import { EXAMPLE_IDS, EXAMPLE_MODEL } from "../examples.js";
import { named } from "../named.js";
import type { Example, Operation } from "../operation.js";
import { OF_ALL, OF_JSON } from "../problems.js";

for (const { name, about } of WIRES) {
  named(`${pascal(name)}Request`, about.body);
  named(`${pascal(name)}Answer`, about.answer);
}

export function rankingOperations(): readonly Operation[] {
  // First the paths that most clients ask.
  const paths = new Set([...documentsWire.paths, ...wirePaths()]);
  return [...paths].map((path) => operationOf(path, wiresOf(path)));
}

/** The wires of a path; first the one that most of its clients speak. */
function wiresOf(path: string): Wire[] {
  const first = firstWireOf(path);
  return [first, ...WIRES.filter((wire) => wire !== first && wire.paths.includes(path))];
}

function operationOf(path: string, wires: readonly Wire[]): Operation {
  return {
    method: "post",
    path,
    id: `post${pascal(path)}`,
    group: "Ranking",
    summary: wires.map(({ about }) => about.summary.split(":", 1)[0]).join("; "),
    description: descriptionOf(wires),
    scopes: ["rerank"],
    headers: ["Prefer"],
    bodies: [
      {
        type: "application/json",
        schemas: wires.map(({ about }) => about.body),
        examples: wires.flatMap(({ about }) =>
          about.examples.map(({ summary, body }) => ({
            summary: wires.length === 1 ? summary : `${summary} (${about.toldBy})`,
            value: body,
          })),
        ),
      },
    ],
    answers: [
      {
        status: 200,
        description: "The ranking.",
        headers: ["X-Rankmill-Warnings", "Preference-Applied"],
        ownHeaders: Object.assign({}, ...wires.map(({ about }) => about.headers ?? {})) as Record<
          string,
          string
        >,
        body: {
          type: "application/json",
          schemas: wires.map(({ about }) => about.answer),
          examples: wires.flatMap((wire) => answersOf(wire, path)),
        },
      },
    ],
    problems: [...OF_ALL, ...OF_JSON, 404, 504],
    problemSchemas: [...new Set(wires.map(({ about }) => about.problem))],
  };
}

function descriptionOf(wires: readonly Wire[]): string {
  const lines = wires.map(({ about }) => `${about.summary}; told by ${about.toldBy}.`);
  const fields = "Fields that mean nothing here are ignored, and named in `X-Rankmill-Warnings`.";
  return [...lines, fields].join("\n\n");
}

const FACTS: AnswerFacts = {
  id: EXAMPLE_IDS.request,
  createdSeconds: 1_796_000_000,
  tookMs: 12,
  warnings: [],
};

/** The answers to a wire's examples, as the wire itself writes them. */
function answersOf(wire: Wire, path: string): Example[] {
  return wire.about.examples.map(({ summary, body }) => {
    const { call, answer } = wire.read(body, path);
    const lists = call.questions.map(({ documents }) => exampleList(documents.length));
    const ranked: Ranked = { model: EXAMPLE_MODEL, lists };
    const value: unknown = JSON.parse(writeJson(answer(ranked, FACTS).body));
    return { summary, value };
  });
}

const LOGITS = [2.59, -2.59];
const TOKENS_PER_PAIR = 9;

/** A made-up ranking, in which the last document is the best. */
function exampleList(documents: number): Ranked["lists"][number] {
  const results = Array.from({ length: documents }, (_, place) => {
    const logit = LOGITS[place] ?? -3;
    return { index: documents - 1 - place, score: activated(logit), logit };
  });
  const usage = { pairs: documents, tokens: documents * TOKENS_PER_PAIR, truncated: 0 };
  return { results, failed: [], usage };
}

function activated(logit: number): number {
  return Math.round(100 / (1 + Math.exp(-logit))) / 100;
}

/** `/v1/rerank` and `hugging-face` as parts of a name: `V1Rerank`, `HuggingFace`. */
function pascal(text: string): string {
  return text
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");
}

/** Requests to the gateway: bodies of all wires, and forms that upload a file. */
import { DEFAULT_LIMITS } from "../../../src/core/contract.js";
import { RankmillError } from "../../../src/core/errors.js";
import type { WireBody } from "../../../src/core/ports/wire.js";
import type { RankCall, Ranked } from "../../../src/core/rank-call.js";
import { splitCall } from "../../../src/app/gateway/split-list.js";
import { wireOf, wirePaths, WIRES } from "../../../src/app/gateway/wires/registry.js";
import { writeJson } from "../../../src/app/gateway/wires/write-json.js";
import { boundaryOf, readField, readForm } from "../../../producers/gateway/multipart.js";
import { Refusal } from "../../../producers/gateway/refusal.js";
import { changed, mutated } from "../support/mutate.js";
import { inPieces, must, type FuzzTarget } from "../support/target.js";

const PATHS = wirePaths();
const MOST_DOCUMENTS = 100_000;
const FACTS = { id: "r", createdSeconds: 1, tookMs: 1, warnings: [] };

export const wireBodies: FuzzTarget = {
  name: "wire-bodies",
  files: false,
  weight: 10,
  run: ({ random }) => {
    const sender = random.pick(WIRES);
    let body: unknown = random.pick(sender.about.examples).body;
    for (let times = random.between(0, 2); times > 0; times -= 1) body = changed(random, body);
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
      throw new RankmillError("invalid_json", "the body is not a JSON object");
    }
    const path = random.pick(random.between(0, 3) === 0 ? PATHS : sender.paths);
    const wire = wireOf(path, body as WireBody);
    const { call, answer } = wire.read(body as WireBody, path);
    checkCall(call);
    splitCall(call, DEFAULT_LIMITS, MOST_DOCUMENTS);
    const text = writeJson(answer(rankedOf(call), FACTS).body);
    JSON.parse(text);
    must(!/:(?:NaN|-?Infinity)/.test(text), "an answer has a score that is no number", text);
  },
};

/** A ranking in which every second document could not be scored. */
function rankedOf({ questions }: RankCall): Ranked {
  const lists = questions.map(({ documents }) => {
    const places = documents.map((_, index) => index);
    const scored = places.filter((index) => index % 2 === 0);
    return {
      results: scored.map((index) => ({ index, score: 1 / (index + 1), logit: -index })),
      failed: places
        .filter((index) => index % 2 === 1)
        .map((index) => ({ index, code: "pair_too_large", message: "too large" })),
      usage: { pairs: scored.length, tokens: scored.length, truncated: 0 },
    };
  });
  return { model: "m", lists };
}

function checkCall({ questions, topN, scoring, warnings }: RankCall): void {
  for (const { query, documents } of questions) {
    must(typeof query === "string", "a query is no text", query);
    for (const one of documents) must(typeof one === "string", "a document is no text", one);
  }
  for (const number of [topN, scoring.maxLength, scoring.maxWindows, scoring.maxTokensPerDoc]) {
    const isCount = number === undefined || (Number.isSafeInteger(number) && number > 0);
    must(isCount, "a number of a call is no count", number);
  }
  must(warnings.join().length < 4_096, "warnings are unbounded", warnings.length);
}

const BOUNDARY = "----rankmill-fuzz";
const FORMS = [
  formOf('name="purpose"', "batch") + formOf('name="file"; filename="a.jsonl"', '{"a": 1}\n'),
  formOf('name="file"; filename="quoted \\"name\\".jsonl"', `x\r\n--${BOUNDARY.slice(0, -1)}\r\n`) +
    formOf("name=purpose", ""),
].map((parts) => `${parts}--${BOUNDARY}--\r\n`);
const TYPES = [
  `multipart/form-data; boundary=${BOUNDARY}`,
  `multipart/form-data; charset=utf-8; boundary="${BOUNDARY}"`,
];

function formOf(names: string, text: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; ${names}\r\n\r\n${text}\r\n`;
}

export const forms: FuzzTarget = {
  name: "forms",
  files: false,
  weight: 8,
  run: async ({ random }) => {
    const bytes = mutated(random, FORMS);
    const type = random.between(0, 3) === 0 ? mutated(random, TYPES).toString() : TYPES[0];
    const boundary = boundaryOf(type) ?? BOUNDARY;
    let read = 0;
    try {
      for await (const part of readForm(inPieces(random, bytes), boundary)) {
        const isRead = random.between(0, 3) > 0;
        if (isRead) read += Buffer.byteLength(await readField(part), "latin1");
        must(part.name.length <= bytes.length, "a name is longer than its form", part.name.length);
      }
    } catch (error) {
      if (error instanceof Refusal && error.status < 500) {
        throw new RankmillError(error.code, error.message, { cause: error });
      }
      throw error;
    }
    must(read <= bytes.length, "a form gave more than it has", read, bytes.length);
  },
};

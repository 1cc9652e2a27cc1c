/** The rules of every wire. */
import { describe, expect, it } from "vitest";
import type { AnswerFacts, Problem, Wire, WireBody } from "../../src/core/ports/wire.js";
import type { Question, Ranked, RankedList } from "../../src/core/rank-call.js";
import { wireOf, WIRES } from "../../src/app/gateway/wires/registry.js";
import { writeJson } from "../../src/app/gateway/wires/write-json.js";
import { errorsOf } from "../support/api-document.js";

/** A number that a client reads of a document. */
export interface ReadScore {
  readonly index: number;
  readonly score: number;
}

export interface WireExample {
  readonly path: string;
  /** A body as its clients send it. */
  readonly ask: (question: Question) => WireBody;
  /** The numbers in an answer, in its order, as its clients read them. */
  readonly read: (answer: unknown) => readonly ReadScore[];
  /** The number that clients get: the score, or the raw output of the model. */
  readonly gives: "score" | "logit";
  /** The order of an answer. */
  readonly order: "best first" | "as asked";
  /** The text of an error, as clients look for it. */
  readonly messageOf: (body: unknown) => unknown;
  /** The name of the field that holds the documents. */
  readonly documents: string;
}

const QUESTION: Question = { query: "mill", documents: ["a", "b", "c"] };
const FACTS: AnswerFacts = { id: "r1", createdSeconds: 1_700_000_000, tookMs: 12, warnings: [] };
const USAGE = { pairs: 3, tokens: 9, truncated: 0 };
const LIST: RankedList = {
  results: [
    { index: 2, score: 1, logit: 40 },
    { index: 0, score: 0.25, logit: -1 },
    { index: 1, score: 0, logit: -3 },
  ],
  failed: [],
  usage: USAGE,
};

/** The same with document 1 not scored. */
const BROKEN: RankedList = {
  results: LIST.results.filter(({ index }) => index !== 1),
  failed: [{ index: 1, code: "pair_too_large", message: "does not fit" }],
  usage: USAGE,
};

/** The part of a ranking that a shorter list has. */
function cut(list: RankedList, { documents }: Question): RankedList {
  const has = ({ index }: { readonly index: number }): boolean => index < documents.length;
  return { ...list, results: list.results.filter(has), failed: list.failed.filter(has) };
}

export function testWire(wire: Wire, example: WireExample): void {
  describe(`the wire ${wire.name}`, () => {
    const body = example.ask(QUESTION);
    const textFor = (list: RankedList): string => {
      const ranked: Ranked = { model: "m", lists: [list] };
      return writeJson(wire.read(body, example.path).answer(ranked, FACTS).body);
    };
    const scoresFor = (list: RankedList): readonly ReadScore[] =>
      example.read(JSON.parse(textFor(list)));

    it("is in the registry once, and gets the bodies that its clients send to each of its paths", () => {
      expect(WIRES.filter(({ name }) => name === wire.name)).toEqual([wire]);
      expect(wire.paths).toContain(example.path);
      for (const path of wire.paths) expect(wireOf(path, body).name).toBe(wire.name);
    });

    it("reads the query and the documents in their order, and no model if none is named", () => {
      const { call } = wire.read(body, example.path);
      expect(call.questions).toEqual([QUESTION]);
      expect([call.model, call.topN, call.warnings]).toEqual([undefined, undefined, []]);
      expect(wire.read({ ...body, model: "m" }, example.path).call.model).toBe("m");
    });

    it("reads an instruction under each of its names, and takes an empty one for none", () => {
      for (const name of ["instruction", "instruct"]) {
        const { call } = wire.read({ ...body, [name]: "find laws" }, example.path);
        expect([call.scoring.instruction, call.warnings]).toEqual(["find laws", []]);
        const { scoring } = wire.read({ ...body, [name]: "" }, example.path).call;
        expect(scoring.instruction).toBeUndefined();
      }
    });

    it("gives every document its number, in the wire's order", () => {
      const best = LIST.results.map((one) => ({ index: one.index, score: one[example.gives] }));
      const asked = best.toSorted((one, other) => one.index - other.index);
      expect(scoresFor(LIST)).toEqual(example.order === "best first" ? best : asked);
    });

    it("gives a document that could not be scored its place, with the lowest number", () => {
      const scores = scoresFor(BROKEN);
      const places = scores.map(({ index }) => index);
      expect(places).toEqual(example.order === "best first" ? [2, 0, 1] : [0, 1, 2]);
      const failed = scores.find(({ index }) => index === 1);
      for (const { score } of scores) expect(failed?.score).toBeLessThanOrEqual(score);
      expect(Math.fround(failed?.score ?? Number.NaN)).toBeGreaterThan(-Infinity);
    });

    it("writes a score with a fraction or an exponent, and an index without", () => {
      const numbers = [...textFor(LIST).matchAll(/"(\w*score|logit|index)":(-?[\d.e+-]+)/g)];
      expect(numbers.length).toBeGreaterThanOrEqual(3);
      for (const [, name, number] of numbers) {
        expect(number).toMatch(name === "index" ? /^\d+$/ : /[.e]/);
      }
    });

    it("ignores fields of other clients, and names them", () => {
      const { call } = wire.read({ ...body, return_len: "true", user: { id: 1 } }, example.path);
      expect(call.questions).toEqual([QUESTION]);
      expect(call.warnings).toEqual(["ignored field: return_len", "ignored field: user"]);
    });

    it("takes null for a field that may be left out", () => {
      for (const field of ["model", "top_n", "truncate", "return_text", "nothing"]) {
        const { call } = wire.read({ [field]: null, ...body }, example.path);
        expect([call.questions, call.warnings]).toEqual([[QUESTION], []]);
      }
    });

    it("refuses a body without documents, or with one that is no text, and names the field", () => {
      const { [example.documents]: documents, ...without } = body;
      const refused = (bad: WireBody) => () => wire.read(bad, example.path);
      expect(refused(without)).toThrowError(new RegExp(`^${example.documents}: is missing`));
      expect(documents).toHaveLength(3);
      for (const wrong of [7, {}, null]) {
        const bad = { ...body, [example.documents]: [...(documents as unknown[]), wrong] };
        expect(refused(bad)).toThrowError(example.documents);
      }
    });

    it("says what its clients send: bodies that it takes itself, and reads without a warning", () => {
      for (const { body: sent } of wire.about.examples) {
        for (const path of wire.paths) expect(wireOf(path, sent).name).toBe(wire.name);
        expect(wire.read(sent, example.path).call.warnings).toEqual([]);
      }
    });

    it("says what it answers, for every example and to a field, and writes errors as it says", () => {
      const { about } = wire;
      for (const list of [LIST, BROKEN]) {
        for (const { body: sent } of [...about.examples, { body }]) {
          const { call, answer } = wire.read(sent, example.path);
          const ranked: Ranked = { model: "m", lists: call.questions.map((one) => cut(list, one)) };
          const text = writeJson(answer(ranked, FACTS).body);
          expect(errorsOf(about.answer, JSON.parse(text)), text).toEqual([]);
        }
      }
      const problem: Problem = { id: "r1", status: 404, code: "model_not_found", message: "no m" };
      const written: unknown = JSON.parse(JSON.stringify(wire.writeProblem(problem)));
      expect(errorsOf(about.problem, written)).toEqual([]);
      expect(errorsOf(about.answer, { strange: 1 })).not.toEqual([]);
    });

    it("says which headers its answers have", () => {
      const { call, answer } = wire.read(body, example.path);
      const ranked: Ranked = { model: "m", lists: call.questions.map(() => LIST) };
      const names = Object.keys(answer(ranked, FACTS).headers ?? {});
      expect(Object.keys(wire.about.headers ?? {})).toEqual(expect.arrayContaining(names));
    });

    it("writes an error where its clients look for it", () => {
      const problem: Problem = { id: "r1", status: 404, code: "model_not_found", message: "no m" };
      expect(example.messageOf(wire.writeProblem(problem))).toBe("no m");
    });
  });
}

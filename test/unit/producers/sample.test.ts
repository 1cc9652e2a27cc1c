import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const SAMPLE_PATH = fileURLToPath(
  new URL("../../../producers/examples/sample.jsonl", import.meta.url),
);
/** The set is part of every clone; beyond this it would weigh more than the code. */
const MAX_SAMPLE_BYTES = 1_500_000;

/** Strict: a field that the README of the sample set does not name is a mistake. */
const sampleLine = z.strictObject({
  id: z.string().min(1),
  query: z.string().min(1),
  documents: z.array(z.strictObject({ id: z.string().min(1), text: z.string().min(1) })),
  metadata: z.strictObject({
    lang: z.enum(["en", "zh"]),
    topic: z.string().min(1),
    kind: z.enum(["lexical", "semantic"]),
    relevant: z.array(z.string()).min(1),
    demonstration: z.enum(["definition-against-fruit", "keyword-trap"]).optional(),
  }),
});
type SampleLine = z.infer<typeof sampleLine>;

const lines = readFileSync(SAMPLE_PATH, "utf8").trimEnd().split("\n");
const sample: SampleLine[] = lines.map((line) => sampleLine.parse(JSON.parse(line)));

function textsOf(line: SampleLine, relevant: boolean): string[] {
  return line.documents
    .filter((document) => line.metadata.relevant.includes(document.id) === relevant)
    .map((document) => document.text);
}

function countMatching(texts: readonly string[], pattern: RegExp): number {
  return texts.filter((text) => pattern.test(text)).length;
}

function repeated(values: readonly string[]): string[] {
  return values.filter((value, at) => values.indexOf(value) !== at);
}

describe("the sample set", () => {
  it("holds at least 50 queries with 20 documents or more each, in a small file", () => {
    expect(sample.length).toBeGreaterThanOrEqual(50);
    const short = sample.filter((line) => line.documents.length < 20).map((line) => line.id);
    expect(short).toEqual([]);
    expect(statSync(SAMPLE_PATH).size).toBeLessThan(MAX_SAMPLE_BYTES);
  });

  it("names every query once, and every document once within its query", () => {
    expect(repeated(sample.map((line) => line.id))).toEqual([]);
    expect(repeated(sample.map((line) => line.query))).toEqual([]);
    for (const line of sample) {
      expect(repeated(line.documents.map((document) => document.id))).toEqual([]);
      expect(repeated(line.documents.map((document) => document.text))).toEqual([]);
    }
  });

  it("gives one document the same text wherever its id appears", () => {
    const textById = new Map<string, string>();
    for (const { id, text } of sample.flatMap((line) => line.documents)) {
      expect(textById.get(id) ?? text).toBe(text);
      textById.set(id, text);
    }
  });

  it("marks as relevant only documents that the query has, and never all of them", () => {
    for (const line of sample) {
      expect(textsOf(line, true)).toHaveLength(line.metadata.relevant.length);
      expect(textsOf(line, false).length).toBeGreaterThan(line.metadata.relevant.length);
    }
  });

  it.each([
    ["en", "lexical", 20],
    ["en", "semantic", 10],
    ["zh", "lexical", 10],
    ["zh", "semantic", 5],
  ] as const)("has %s queries of the kind %s, at least %i", (lang, kind, atLeast) => {
    const found = sample.filter(({ metadata }) => metadata.lang === lang && metadata.kind === kind);
    expect(found.length).toBeGreaterThanOrEqual(atLeast);
  });

  it("is written in the language that it states", () => {
    for (const line of sample) {
      const texts = [line.query, ...line.documents.map((document) => document.text)];
      const withHan = countMatching(texts, /\p{Script=Han}/u);
      expect(withHan).toBe(line.metadata.lang === "zh" ? texts.length : 0);
    }
  });
});

describe("the demonstrations of the sample set", () => {
  it("set what artificial intelligence is against fruit", () => {
    const line = sample.find((each) => each.query === "What is artificial intelligence?");
    if (line === undefined) throw new Error("the demonstration is missing");
    expect(line.metadata.demonstration).toBe("definition-against-fruit");
    const definitions = textsOf(line, true);
    expect(countMatching(definitions, /artificial intelligence/i)).toBe(definitions.length);
    const others = textsOf(line, false);
    expect(countMatching(others, /\bfruit|\bbanana|\bmango/i)).toBeGreaterThanOrEqual(3);
    expect(countMatching(others, /artificial intelligence/i)).toBe(0);
  });

  it.each([
    ["en", /diabet/i, /foot massage/i],
    ["zh", /糖尿病/u, /足部按摩/u],
  ] as const)("set diabetic foot care against foot massage (%s)", (lang, answer, trap) => {
    const line = sample.find(
      ({ metadata }) => metadata.lang === lang && metadata.demonstration === "keyword-trap",
    );
    if (line === undefined) throw new Error("the demonstration is missing");
    expect(line.query).toMatch(answer);
    const right = textsOf(line, true);
    expect(countMatching(right, answer)).toBe(right.length);
    expect(countMatching(right, trap)).toBe(0);
    expect(countMatching(textsOf(line, false), trap)).toBeGreaterThanOrEqual(4);
  });
});

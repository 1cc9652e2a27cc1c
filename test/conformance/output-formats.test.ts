import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import type { OutputChoice } from "../../src/core/ports/output-format.js";
import { converterOf } from "../../src/inputs/formats/registry.js";
import { flagEmbedding } from "../../src/outputs/formats/flagembedding.js";
import { jsonl } from "../../src/outputs/formats/jsonl.js";
import { outputFormats } from "../../src/outputs/formats/registry.js";
import { trec } from "../../src/outputs/formats/trec.js";
import {
  testOutputFormat,
  type OutputFormatExample,
  type RankedExample,
} from "./output-format.suite.js";

function choose(folder: string, lines: readonly unknown[]): OutputChoice {
  const path = join(folder, "in.jsonl");
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return {
    output: join(folder, "out"),
    input: { path, kind: "file" },
    inputFormat: "auto",
    firstStage: undefined,
    topN: undefined,
    tag: "tag",
    keepRest: false,
  };
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

const rankingSchema = z.object({
  id: z.string(),
  results: z.array(z.object({ id: z.string(), logit: z.number() })),
});

const scoredSchema = z.object({
  id: z.string(),
  pos: z.array(z.string()),
  neg: z.array(z.string()),
  pos_scores: z.array(z.number()),
  neg_scores: z.array(z.number()),
});

function pairOf({ id, logits }: RankedExample): object {
  const [first = "", ...others] = Object.keys(logits);
  return { id, query: "q", pos: [first], neg: others };
}

const EXAMPLES: Readonly<Record<string, OutputFormatExample>> = {
  [jsonl.name]: {
    streams: true,
    choose,
    read: (text) =>
      new Map(
        linesOf(text).map((line) => {
          const { id, results } = rankingSchema.parse(JSON.parse(line));
          return [id, new Map(results.map((result) => [result.id, result.logit]))];
        }),
      ),
  },
  [trec.name]: {
    streams: true,
    choose,
    read: (text) => {
      const found = new Map<string, Map<string, number>>();
      for (const line of linesOf(text)) {
        const [query = "", , document = "", rank, score, tag] = line.split(" ");
        const documents = found.get(query) ?? new Map<string, number>();
        found.set(query, documents.set(document, Number(score)));
        expect([rank, tag]).toEqual([String(documents.size), "tag"]);
      }
      return found;
    },
  },
  [flagEmbedding.name]: {
    streams: false,
    choose: (folder, examples) => choose(folder, examples.map(pairOf)),
    read: (text) =>
      new Map(
        linesOf(text).map((line) => {
          const { id, pos, neg, pos_scores, neg_scores } = scoredSchema.parse(JSON.parse(line));
          const scores = [...pos_scores, ...neg_scores];
          return [id, new Map([...pos, ...neg].map((one, place) => [one, scores[place] ?? NaN]))];
        }),
      ),
  },
};

for (const kind of outputFormats()) {
  const example = EXAMPLES[kind.name];
  if (example !== undefined) testOutputFormat(kind, example);
}

it("FlagEmbedding's lines keep what a parser would alter", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rankmill-test-lines-"));
  try {
    const choice = choose(folder, []);
    const line =
      '{"query":"q", "pos":["d"], "pos_id": [1234567890123456789], "w": 1.0, "pos_scores": [9]}';
    writeFileSync(choice.input.path, `${line}\n`);
    const request = converterOf("flagembedding")(JSON.parse(line));
    const id = request.status === "converted" ? request.request.id : undefined;
    const ranking = { id, results: [{ index: 0, logit: 2.5 }] };
    const rankings = join(folder, "rankings.jsonl");
    writeFileSync(rankings, `${JSON.stringify(ranking)}\n`);
    let text = "";
    for await (const piece of flagEmbedding.open(choice).convert?.(rankings) ?? []) text += piece;
    expect(text).toBe(
      '{"query":"q","pos":["d"],"pos_id":[1234567890123456789],"w":1.0,"pos_scores":[2.5],"neg_scores":[]}\n',
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it("every output format of the registry runs the suite", () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual(
    outputFormats()
      .map(({ name }) => name)
      .sort(),
  );
});

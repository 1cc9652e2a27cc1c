/** The rules of every form of an output. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OutputChoice, OutputFormatKind } from "../../src/core/ports/output-format.js";
import { outputFormats } from "../../src/outputs/formats/registry.js";

/** A query and its documents, and their logits. */
export interface RankedExample {
  readonly id: string;
  readonly logits: Readonly<Record<string, number>>;
}

export interface OutputFormatExample {
  /** Whether rankings can be written one by one, as standard output takes them. */
  readonly streams: boolean;
  /** The input that the rankings are of, written below `folder`, and the rest of the choice. */
  choose(folder: string, examples: readonly RankedExample[]): OutputChoice;
  /** The logits in a text of this form, by record and document. */
  read(text: string, examples: readonly RankedExample[]): Map<string, Map<string, number>>;
}

const EXAMPLES: readonly RankedExample[] = [
  { id: "a", logits: { d1: -0.5, d2: 3.25, d3: 1e-7 } },
  { id: "b", logits: { d1: 2 } },
  { id: "c", logits: { d1: -7.125, d2: -7 } },
];

function rankingOf({ id, logits }: RankedExample): string {
  const results = Object.entries(logits)
    .map(([document, logit], index) => ({ index, id: document, relevance_score: logit, logit }))
    .toSorted((one, other) => other.logit - one.logit);
  const usage = { pairs: results.length, tokens: 9, truncated: 0 };
  return JSON.stringify({ id, model: "m", results, usage });
}

function logitsOf(examples: readonly RankedExample[]): Map<string, Map<string, number>> {
  return new Map(examples.map(({ id, logits }) => [id, new Map(Object.entries(logits))]));
}

export function testOutputFormat(kind: OutputFormatKind, example: OutputFormatExample): void {
  describe(`the output format ${kind.name}`, () => {
    let folder: string;

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "rankmill-test-form-"));
    });

    afterEach(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    async function convert(examples: readonly RankedExample[]): Promise<string> {
      const { convert: make } = kind.open(example.choose(folder, EXAMPLES));
      const path = join(folder, "out.rankings.jsonl");
      writeFileSync(path, examples.map((one) => `${rankingOf(one)}\n`).join(""));
      if (make === undefined) return readFileSync(path, "utf8");
      let text = "";
      for await (const piece of make(path)) text += piece;
      return text;
    }

    it("is in the registry once, and keeps its name when it is opened", () => {
      expect(outputFormats().filter(({ name }) => name === kind.name)).toEqual([kind]);
      expect(kind.open(example.choose(folder, EXAMPLES)).name).toBe(kind.name);
    });

    it("holds every logit at full precision, under its record and document", async () => {
      expect(example.read(await convert(EXAMPLES), EXAMPLES)).toEqual(logitsOf(EXAMPLES));
    });

    it("leaves out a record without a ranking, and shifts no other", async () => {
      const ranked = EXAMPLES.filter(({ id }) => id !== "b");
      expect(example.read(await convert(ranked), EXAMPLES)).toEqual(logitsOf(ranked));
    });

    it("holds the same, whatever the order in which the rankings came", async () => {
      const text = await convert(EXAMPLES.toReversed());
      expect(example.read(text, EXAMPLES)).toEqual(logitsOf(EXAMPLES));
    });

    it("leaves nothing behind but the rankings", async () => {
      await convert(EXAMPLES);
      expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
    });

    if (!example.streams) {
      it("refuses standard output, since it needs the whole run", () => {
        const choice = { ...example.choose(folder, EXAMPLES), output: "-" };
        expect(() => kind.open(choice)).toThrow(kind.name);
      });
      return;
    }

    it("writes one ranking at a time in the same words", () => {
      const { textOf } = kind.open(example.choose(folder, EXAMPLES));
      const text = EXAMPLES.map((one) => textOf?.(rankingOf(one))).join("");
      expect(example.read(text, EXAMPLES)).toEqual(logitsOf(EXAMPLES));
      expect(text.endsWith("\n")).toBe(true);
    });
  });
}

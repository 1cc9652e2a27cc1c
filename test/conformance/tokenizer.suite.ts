/**
 * Facts that hold for every tokenizer. `describeTokenizer` needs nothing but the port, and fakes pass
 * it as well; `describeTokenizerKind` compares a kind with the library that models were trained with.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TruncationStrategy } from "tokenizers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Truncation } from "../../src/core/job.js";
import { assemblePair, type PairTemplate } from "../../src/core/pair-assembly.js";
import type { EncodedPair } from "../../src/core/pair.js";
import type { Tokenizer } from "../../src/core/ports/tokenizer.js";
import { SETTINGS_FILE } from "../../src/models/model-settings.js";
import { longTests } from "../support/needs.js";
import { openReference, referenceIds, specialsOf } from "./tokenizer.data.js";
import { HOSTILE_TEXTS, literalTexts } from "./tokenizer.texts.js";

/** Small ones cut into everything, odd and even; at 1,000 nothing is cut. */
const MAX_LENGTHS = [6, 7, 8, 9, 16, 17, 32, 33, 64, 127, 1_000];
const QUERIES = ["the mill", "what is the mill for, and who turns it? ".repeat(3), ""];
const DOCUMENTS = [
  "",
  "the",
  "敏捷的棕色狐狸 the mill turns all day. ".repeat(8),
  "mill ".repeat(40),
];
/** More characters than a part of a text has (the long tests: than a call of a tokenizer takes). */
const LONG_TEXT_WORDS = longTests.isMet ? 6_000 : 3_000;
/** Values of the library's enum, which exists as types only. */
const STRATEGIES = JSON.parse(
  '{"longest-first": "LongestFirst", "only-second": "OnlySecond"}',
) as Readonly<Record<Truncation, TruncationStrategy>>;

/** @param open gives a tokenizer that the suite closes */
export function describeTokenizer(
  title: string,
  kind: string,
  open: () => Promise<Tokenizer>,
): void {
  describe(`every tokenizer: ${title}`, () => {
    let tokenizer: Tokenizer;
    beforeAll(async () => {
      tokenizer = await open();
    });
    afterAll(() => tokenizer.close());
    itIsATokenizer(kind, () => tokenizer);
  });
}

function itIsATokenizer(kind: string, tokenizer: () => Tokenizer): void {
  const encode = async (texts: readonly string[], atLeastTokens?: number): Promise<number[][]> =>
    listsOf(await tokenizer().encode(texts, atLeastTokens));

  it("names its kind", () => {
    expect(tokenizer().kind).toBe(kind);
  });

  it("gives the ids of a text whatever its neighbours are", async () => {
    const texts = Object.values(HOSTILE_TEXTS).slice(0, 30);
    const together = await encode(texts);
    const alone: number[][] = [];
    for (const text of texts) alone.push(...(await encode([text])));
    expect(alone).toEqual(together);
    expect(await encode([])).toEqual([]);
  });

  it("stops early at ids that the whole text begins with", async () => {
    const hostile = Object.values(HOSTILE_TEXTS).filter(({ length }) => length < 300);
    const long = Array.from({ length: 400 }, (_, index) => {
      const piece = hostile[(index * 7) % hostile.length] ?? "";
      return `${piece} word${index} and 7 more`;
    }).join(" ");
    const texts = [long, "mill ".repeat(4_000), "漢字".repeat(2_000), long.replaceAll(" ", "")];
    const whole = await encode(texts);
    for (const atLeast of [1, 17, 511, 512, 3_000]) {
      const heads = await encode(texts, atLeast);
      expect(heads).toEqual(whole.map((ids) => ids.slice(0, atLeast + 1)));
    }
  });
}

export interface TokenizerKindUnderTest {
  readonly kind: string;
  readonly folder: string;
  /** Names of hostile texts whose ids are known to differ from the library's. */
  readonly knownDifferences: readonly string[];
  readonly open: () => Promise<{ readonly tokenizer: Tokenizer; readonly template: PairTemplate }>;
}

export function describeTokenizerKind(title: string, under: TokenizerKindUnderTest): void {
  const { folder, knownDifferences } = under;
  describe(`the tokenizer ${title}`, () => {
    let tokenizer: Tokenizer;
    let template: PairTemplate;
    let reference: ReturnType<typeof openReference>;
    beforeAll(async () => {
      ({ tokenizer, template } = await under.open());
      reference = openReference(folder);
    });
    afterAll(() => tokenizer.close());
    itIsATokenizer(under.kind, () => tokenizer);
    const encode = async (texts: readonly string[]): Promise<number[][]> =>
      listsOf(await tokenizer.encode(texts));

    it("gives the reference's ids for hostile texts", async () => {
      const names = Object.keys(HOSTILE_TEXTS);
      const texts = Object.values(HOSTILE_TEXTS);
      const [ours, theirs] = [
        await encode(texts),
        await referenceIds(
          reference,
          texts.map((text) => text.toWellFormed()),
        ),
      ];
      const differing = names.filter((_, index) => ours[index]?.join() !== theirs[index]?.join());
      expect(differing).toEqual(knownDifferences);
    });

    it("reads special tokens in a text as text", async () => {
      const specials = specialsOf(folder);
      const texts = specials.flatMap(({ content }) => literalTexts(content));
      // The unknown token stands for what the vocabulary lacks, "[" for instance.
      const forbidden = new Set(
        specials.filter(({ content }) => !/unk/i.test(content)).map(({ id }) => id),
      );
      const encoded = await encode(texts);
      expect(encoded.flat().filter((id) => forbidden.has(id))).toEqual([]);
      const [mill = []] = await encode([" mill"]);
      const beforeMill = encoded.filter((_, index) => texts[index]?.endsWith(" mill"));
      expect(beforeMill.map((ids) => ids.slice(-mill.length))).toEqual(specials.map(() => mill));
    });

    it("puts a long text together from its parts as the reference reads it whole", async () => {
      const text = Array.from(
        { length: LONG_TEXT_WORDS },
        (_, index) => `w${index % 97} ${"don't, e\u0301 Ünï ".slice(0, index % 17)}`,
      ).join(" ");
      expect(await encode([text])).toEqual(await referenceIds(reference, [text]));
    });

    // A model with a prompt puts its pairs together by that: prompts.test.ts compares them.
    if (existsSync(join(folder, SETTINGS_FILE))) return;
    it("assembles pairs as the reference does", async () => {
      const { prefix, middle, suffix } = template;
      const specialsOfTemplate = prefix.length + middle.length + suffix.length;
      let compared = 0;
      for (const query of QUERIES) {
        const [queryIds = new Int32Array()] = await tokenizer.encode([query]);
        const documents = await tokenizer.encode(DOCUMENTS);
        for (const maxLength of MAX_LENGTHS) {
          for (const truncation of ["longest-first", "only-second"] as const) {
            // If the query alone is over its share, the library refuses only_second.
            if (truncation === "only-second" && queryIds.length > (maxLength * 3) / 4) continue;
            const strategy = STRATEGIES[truncation];
            for (const [index, document] of DOCUMENTS.entries()) {
              const documentIds = documents[index] ?? new Int32Array();
              // The longer of the two depends on where the library stopped reading each.
              const room = maxLength - specialsOfTemplate;
              const bothOver = Math.min(queryIds.length, documentIds.length) >= maxLength;
              if (truncation === "longest-first" && bothOver && room % 2 === 1) continue;
              const options = { maxLength, truncation };
              const pair = assemblePair(template, queryIds, documentIds, options);
              reference.setTruncation(maxLength, { strategy });
              const theirs = await reference.encode(query, document).catch(() => undefined);
              // It also refuses to cut a whole document away.
              if (theirs === undefined && truncation === "only-second") continue;
              compared += 1;
              expect({ ids: [...pair.ids], types: typesOf(pair) }).toEqual({
                ids: theirs?.getIds(),
                types: theirs?.getTypeIds(),
              });
            }
          }
        }
      }
      reference.disableTruncation();
      expect(compared).toBeGreaterThan(100);
    });
  });
}

function listsOf(ids: readonly Int32Array[]): number[][] {
  return ids.map((list) => [...list]);
}

function typesOf(pair: EncodedPair): number[] {
  return Array.from(pair.ids, (_, index) => (index < pair.secondStart ? 0 : 1));
}

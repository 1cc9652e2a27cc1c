import { readFileSync } from "node:fs";
import type { TruncationStrategy } from "tokenizers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Truncation } from "../../src/core/job.js";
import { assemblePair } from "../../src/core/pair-assembly.js";
import type { EncodedPair } from "../../src/core/pair.js";
import { ignoreWork } from "../../src/core/work-events.js";
import { CachedTokenizer } from "../../src/tokenizers/cached-tokenizer.js";
import { openTokenizer, type OpenedTokenizer } from "../../src/tokenizers/open-tokenizer.js";
import {
  asRanges,
  codePoints,
  TOKENIZER_DATA,
  openReference,
  referenceIds,
  specialsOf,
  TOKENIZERS,
} from "./tokenizer.data.js";
import { HOSTILE_TEXTS, literalTexts } from "./tokenizer.texts.js";
import { DATA, given } from "../support/needs.js";

interface KnownDifferences {
  /** Tried as `a?b ? c`: assigned in Unicode 14, so that no JavaScript engine knows fewer. */
  readonly sweep: string;
  readonly codePoints: Readonly<Record<string, string>>;
  /** Names of hostile texts. */
  readonly texts: Readonly<Record<string, readonly string[]>>;
}
const known = JSON.parse(
  readFileSync(new URL("tokenizer-known-differences.json", import.meta.url), "utf8"),
) as KnownDifferences;

const LIBRARIES = ["tokenizers", "transformers"] as const;
const REMEMBERING = "tokenizers that remember";
const VARIANTS = [
  ...LIBRARIES.map((implementation) => [implementation, implementation] as const),
  [REMEMBERING, "tokenizers"],
] as const;
const OWN = ["rankmill", "rankmill"] as const;
/** Small enough that texts are forgotten, too. */
const CACHE_BYTES = 262_144;
/** Small ones cut into everything, odd and even; at 1,000 nothing is cut. */
const MAX_LENGTHS = [6, 7, 8, 9, 16, 17, 32, 33, 64, 127, 1_000];
const QUERIES = ["the mill", "what is the mill for, and who turns it? ".repeat(3), ""];
const DOCUMENTS = [
  "",
  "the",
  "敏捷的棕色狐狸 the mill turns all day. ".repeat(8),
  "mill ".repeat(40),
];
/** Values of the library's enum, which exists as types only. */
const STRATEGIES = JSON.parse(
  '{"longest-first": "LongestFirst", "only-second": "OnlySecond"}',
) as Readonly<Record<Truncation, TruncationStrategy>>;
const SWEEP_CHUNK = 4_096;
/** Every code point of the sweep rather than a sample of those that are not listed: some minutes. */
const FULL_SWEEP = process.env["RANKMILL_TEST_FULL_SWEEP"] === "1";

const lists = (ids: readonly Int32Array[]): number[][] => ids.map((list) => [...list]);

for (const { name, folder, sweepEvery, own } of TOKENIZERS) {
  for (const [variant, implementation] of own ? [OWN, ...VARIANTS] : VARIANTS) {
    describe(`${variant} on ${name}`, () => {
      const reference = openReference(folder);
      let opened: OpenedTokenizer;
      beforeAll(async () => {
        opened = await openTokenizer(folder, { implementation });
        if (variant === REMEMBERING) {
          const tokenizer = new CachedTokenizer(opened.tokenizer, CACHE_BYTES, ignoreWork);
          opened = { ...opened, tokenizer };
        }
      });
      afterAll(() => opened.tokenizer.close());
      const encode = async (
        texts: readonly string[],
        atLeastTokens?: number,
      ): Promise<number[][]> => lists(await opened.tokenizer.encode(texts, atLeastTokens));

      it("names its implementation", () => {
        expect(opened.tokenizer.implementation).toBe(implementation);
      });

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
        const listed = implementation === "transformers" ? (known.texts[name] ?? []) : [];
        expect(differing).toEqual(listed);
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
        const long = Array.from({ length: 600 }, (_, index) => {
          const piece = hostile[(index * 7) % hostile.length] ?? "";
          return `${piece} word${index} and 7 more`;
        }).join(" ");
        const texts = [
          long,
          "mill ".repeat(20_000),
          "漢字".repeat(3_000),
          long.replaceAll(" ", ""),
        ];
        const whole = await encode(texts);
        for (const atLeast of [1, 17, 511, 512, 3_000]) {
          const heads = await encode(texts, atLeast);
          expect(heads).toEqual(whole.map((ids) => ids.slice(0, atLeast + 1)));
        }
      });

      it("puts a long text together from its parts as the reference reads it whole", async () => {
        const text = Array.from(
          { length: 12_000 },
          (_, index) => `w${index % 97} ${"don't, e\u0301 Ünï ".slice(0, index % 17)}`,
        ).join(" ");
        expect(await encode([text])).toEqual(await referenceIds(reference, [text]));
      });

      it("assembles pairs as the reference does", async () => {
        const { prefix, middle, suffix } = opened.template;
        const specialsOfTemplate = prefix.length + middle.length + suffix.length;
        let compared = 0;
        for (const query of QUERIES) {
          const [queryIds = new Int32Array()] = await opened.tokenizer.encode([query]);
          const documents = await opened.tokenizer.encode(DOCUMENTS);
          for (const maxLength of MAX_LENGTHS) {
            for (const truncation of ["longest-first", "only-second"] as const) {
              // Where the query alone is over its share, the library refuses only_second.
              if (truncation === "only-second" && queryIds.length > (maxLength * 3) / 4) continue;
              const strategy = STRATEGIES[truncation];
              for (const [index, document] of DOCUMENTS.entries()) {
                const documentIds = documents[index] ?? new Int32Array();
                // Which of two is longer depends on where the library stopped reading each.
                const room = maxLength - specialsOfTemplate;
                const bothOver = Math.min(queryIds.length, documentIds.length) >= maxLength;
                if (truncation === "longest-first" && bothOver && room % 2 === 1) continue;
                const options = { maxLength, truncation };
                const pair = assemblePair(opened.template, queryIds, documentIds, options);
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

  if (sweepEvery > 0)
    it(`transformers on ${name} differs from tokenizers on the listed code points and on no other`, async () => {
      const { tokenizer } = await openTokenizer(folder, { implementation: "transformers" });
      const reference = openReference(folder);
      const listed = new Set(codePoints(known.codePoints[name] ?? ""));
      const points = codePoints(known.sweep).filter(
        (point, index) => listed.has(point) || FULL_SWEEP || index % sweepEvery === 0,
      );
      const differing: number[] = [];
      for (let at = 0; at < points.length; at += SWEEP_CHUNK) {
        const chunk = points.slice(at, at + SWEEP_CHUNK);
        const texts = chunk.map((point) => {
          const character = String.fromCodePoint(point);
          return `a${character}b ${character} c`;
        });
        const ours = lists(await tokenizer.encode(texts));
        const theirs = await referenceIds(reference, texts);
        differing.push(
          ...chunk.filter((_, index) => ours[index]?.join() !== theirs[index]?.join()),
        );
      }
      await tokenizer.close();
      expect(asRanges(differing)).toBe(known.codePoints[name] ?? "");
    });
}

async function pairOf(name: string, query: string, document: string): Promise<EncodedPair> {
  const { tokenizer, template } = await openTokenizer(`${DATA}/tokenizers/${name}`);
  const [first = new Int32Array(), second = new Int32Array()] = await tokenizer.encode([
    query,
    document,
  ]);
  await tokenizer.close();
  return assemblePair(template, first, second, { maxLength: 512, truncation: "only-second" });
}

function typesOf(pair: EncodedPair): number[] {
  return Array.from(pair.ids, (_, index) => (index < pair.secondStart ? 0 : 1));
}

describe("golden ids", given(TOKENIZER_DATA), () => {
  const golden = TOKENIZER_DATA.isMet
    ? (JSON.parse(readFileSync(`${DATA}/golden/token-ids.json`, "utf8")) as Record<
        string,
        Record<string, Record<string, { text: string; text_pair?: string; ids: number[] }>>
      >)
    : {};
  const CASES = [
    ["bert", golden["bert"]?.["Xenova/bert-base-uncased"], LIBRARIES],
    ["xlmr", golden["xlm_roberta"]?.["Xenova/bge-reranker-base"], ["rankmill", ...LIBRARIES]],
  ] as const;
  for (const [name, entries = {}, implementations] of CASES) {
    for (const implementation of implementations) {
      it(`${implementation} gives the published ids of ${name}`, async () => {
        const folder = `${DATA}/tokenizers/${name}`;
        const { tokenizer, template } = await openTokenizer(folder, { implementation });
        const specials = specialsOf(folder).map(({ content }) => content);
        let compared = 0;
        for (const [title, { text, text_pair: second, ids }] of Object.entries(entries)) {
          // We read these as text, the publisher does not.
          if (specials.some((special) => text.includes(special))) continue;
          const [first = new Int32Array(), other = new Int32Array()] = await tokenizer.encode(
            second === undefined ? [text] : [text, second],
          );
          const ours =
            second === undefined
              ? [...template.prefix, ...first, ...template.suffix]
              : [
                  ...assemblePair(template, first, other, {
                    maxLength: 512,
                    truncation: "longest-first",
                  }).ids,
                ];
          expect({ title, ids: ours }).toEqual({ title, ids });
          compared += 1;
        }
        await tokenizer.close();
        expect(compared).toBeGreaterThan(20);
      });
    }
  }

  it("gives the published ids of pairs", async () => {
    const bert = await pairOf(
      "bert",
      "How many people live in Berlin?",
      "Berlin is well known for its museums.",
    );
    expect([...bert.ids]).toEqual([
      101, 2129, 2116, 2111, 2444, 1999, 4068, 1029, 102, 4068, 2003, 2092, 2124, 2005, 2049, 9941,
      1012, 102,
    ]);
    expect(bert.secondStart).toBe(9);
    const xlmr = await pairOf("xlmr", "what is panda?", "hi");
    expect([...xlmr.ids]).toEqual([0, 2367, 83, 6, 85407, 32, 2, 2, 1274, 2]);
    expect(xlmr.secondStart).toBe(10);
  });
});

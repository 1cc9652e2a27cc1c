import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { assemblePair } from "../../src/core/pair-assembly.js";
import type { EncodedPair } from "../../src/core/pair.js";
import type { Tokenizer } from "../../src/core/ports/tokenizer.js";
import { ignoreWork } from "../../src/core/work-events.js";
import { CachedTokenizer } from "../../src/tokenizers/cached-tokenizer.js";
import { TOKENIZER_KINDS } from "../../src/tokenizers/kinds/registry.js";
import { openTokenizer } from "../../src/tokenizers/open-tokenizer.js";
import {
  asRanges,
  codePoints,
  TOKENIZER_DATA,
  openReference,
  referenceIds,
  specialsOf,
  TOKENIZERS,
} from "./tokenizer.data.js";
import { describeTokenizerKind } from "./tokenizer.suite.js";
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

const PACKAGES = ["tokenizers", "transformers"] as const;
/** Small enough that texts are forgotten, too. */
const CACHE_BYTES = 262_144;
const SWEEP_CHUNK = 4_096;
/** Every code point of the sweep rather than a sample of those that are not listed: some minutes. */
const FULL_SWEEP = process.env["RANKMILL_TEST_FULL_SWEEP"] === "1";

/** Each is opened once for all its tests: reading a large vocabulary takes seconds. */
const opened = new Map<string, ReturnType<typeof openTokenizer>>();

async function openShared(
  folder: string,
  kind: (typeof TOKENIZER_KINDS)[number]["name"],
): Promise<Pick<Awaited<ReturnType<typeof openTokenizer>>, "tokenizer" | "template">> {
  const opening = opened.get(`${kind} ${folder}`) ?? openTokenizer(folder, { kind });
  opened.set(`${kind} ${folder}`, opening);
  const { tokenizer, template } = await opening;
  return { template, tokenizer: { ...delegate(tokenizer), close: () => Promise.resolve() } };
}

function delegate(tokenizer: Tokenizer): Pick<Tokenizer, "kind" | "encode"> {
  return {
    kind: tokenizer.kind,
    encode: async (texts, atLeastTokens) => await tokenizer.encode(texts, atLeastTokens),
  };
}

afterAll(async () => {
  for (const opening of opened.values()) await (await opening).tokenizer.close();
});

const lists = (ids: readonly Int32Array[]): number[][] => ids.map((list) => [...list]);

/** The cache is the same above all of them. */
const ALSO_REMEMBERED = new Set(["builtin-bm25", "tiny-bert", "tiny-deberta-v2"]);

/** The package beside ours reads a tokenizer of the same make under another name; the long tests try these, too. */
const LIKE_OTHERS = new Set([
  "tiny-deberta-v2",
  "tiny-llama",
  "wordpiece-bert-processing",
  "unigram-roberta-processing",
  "bpe-merges-into-special",
]);

for (const { name, folder, sweepEvery, own } of TOKENIZERS) {
  for (const { name: kind } of TOKENIZER_KINDS) {
    if (kind === "rankmill" && !own) continue;
    // Reading this vocabulary takes packages seconds; the long tests try it.
    if (kind !== "rankmill" && name === "xlmr-whitespace-variant" && !FULL_SWEEP) continue;
    if (kind === "transformers" && LIKE_OTHERS.has(name) && !FULL_SWEEP) continue;
    describeTokenizerKind(`${kind} on ${name}`, {
      kind,
      folder,
      knownDifferences: kind === "transformers" ? (known.texts[name] ?? []) : [],
      open: async () => await openShared(folder, kind),
    });
  }
  if (ALSO_REMEMBERED.has(name))
    describeTokenizerKind(`tokenizers that remember on ${name}`, {
      kind: "tokenizers",
      folder,
      knownDifferences: [],
      open: async () => {
        const { tokenizer, template } = await openShared(folder, "tokenizers");
        return { tokenizer: new CachedTokenizer(tokenizer, CACHE_BYTES, ignoreWork), template };
      },
    });

  if (sweepEvery > 0 && (FULL_SWEEP || name !== "xlmr-whitespace-variant"))
    it(`transformers on ${name} differs from tokenizers on the listed code points and on no other`, async () => {
      const { tokenizer } = await openShared(folder, "transformers");
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
      expect(asRanges(differing)).toBe(known.codePoints[name] ?? "");
    });
}

async function pairOf(name: string, query: string, document: string): Promise<EncodedPair> {
  const kind = name === "xlmr" ? "rankmill" : "tokenizers";
  const { tokenizer, template } = await openShared(`${DATA}/tokenizers/${name}`, kind);
  const [first = new Int32Array(), second = new Int32Array()] = await tokenizer.encode([
    query,
    document,
  ]);
  return assemblePair(template, first, second, { maxLength: 512, truncation: "only-second" });
}

describe("golden ids", given(TOKENIZER_DATA), () => {
  const golden = TOKENIZER_DATA.isMet
    ? (JSON.parse(readFileSync(`${DATA}/golden/token-ids.json`, "utf8")) as Record<
        string,
        Record<string, Record<string, { text: string; text_pair?: string; ids: number[] }>>
      >)
    : {};
  const CASES = [
    ["bert", golden["bert"]?.["Xenova/bert-base-uncased"], PACKAGES],
    ["xlmr", golden["xlm_roberta"]?.["Xenova/bge-reranker-base"], ["rankmill", ...PACKAGES]],
  ] as const;
  for (const [name, entries = {}, kinds] of CASES) {
    for (const kind of kinds) {
      it(`${kind} gives the published ids of ${name}`, async () => {
        const folder = `${DATA}/tokenizers/${name}`;
        const { tokenizer, template } = await openShared(folder, kind);
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
        expect(compared).toBeGreaterThan(20);
      });
    }
  }

  it("pairs have their published ids", async () => {
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

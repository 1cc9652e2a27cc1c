import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  HIGHEST_LOGIT,
  LOGIT_STEPS,
  LOWEST_LOGIT,
  MAX_POSITION_EMBEDDINGS,
} from "../../../models/builtin-bm25/constants.js";
import { buildFiles } from "../../../models/builtin-bm25/files.js";
import { buildVocabulary } from "../../../models/builtin-bm25/vocabulary.js";
import {
  BUILTIN_FOLDER,
  openBuiltinModel,
  openBuiltinTokenizer,
  type Encode,
  type Pair,
  type Score,
} from "../../support/builtin-model.js";
import { SeededRandom } from "../../support/random.js";
import { referenceBm25 } from "../../support/reference-bm25.js";

const ROOT = join(BUILTIN_FOLDER, "../..");
const TOLERANCE = 1e-4;

let score: Score;
let encode: Encode;

beforeAll(async () => {
  score = await openBuiltinModel();
  encode = openBuiltinTokenizer();
});

async function pairOf(query: string, document: string): Promise<Pair> {
  const [queryIds = [], documentIds = []] = await encode([query, document]);
  return { query: queryIds, document: documentIds };
}

async function logitOf(query: string, document: string): Promise<number> {
  const [logit = Number.NaN] = await score([await pairOf(query, document)]);
  return logit;
}

const WORDS = [
  "the of and what is a with use uses used time patient patients cell cells gene genes",
  "infection infectious infected diabetes diabetic foot massage classes class bus buses",
  "neurotransmitter neurotransmitters electroencephalography electroencephalographic",
  "b12 il 6 2021 12345 1,000 0.5 straße façade ØRSTED naïve",
  "москва москве книга книги ελλάδα οδος ירושלים القاهرة दिल्ली ประเทศไทย 서울 대한민국",
  "糖尿病 足 护理 中国 北京 的 是 什么 東京 カタカナ ひらがな 𠀋 😀 €",
].flatMap((line) => line.split(" "));

function randomText(random: SeededRandom, words: number): string {
  return Array.from({ length: words }, () => random.pick(WORDS)).join(" ");
}

/** Pairs of every length and script, most of them sharing words. */
async function randomPairs(count: number, seed: number): Promise<Pair[]> {
  const random = new SeededRandom(seed);
  const texts = Array.from({ length: count }, () => [
    randomText(random, random.between(0, 12)),
    randomText(random, random.pick([0, 1, 2, 10, 60, 250])),
  ]);
  const ids = await encode(texts.flat());
  return texts.map((_, index) => ({
    query: ids[2 * index] ?? [],
    document: ids[2 * index + 1] ?? [],
  }));
}

/** The first query and its documents from each record of the project's sample set. */
async function samplePairs(count: number): Promise<Pair[]> {
  const lines = await readFile(join(ROOT, "producers/examples/sample.jsonl"), "utf8");
  const records: { query: string; documents: { text: string }[] }[] = lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return Promise.all(
    records
      .flatMap(({ query, documents }) => documents.slice(0, 4).map(({ text }) => [query, text]))
      .slice(0, count)
      .map(([query = "", document = ""]) => pairOf(query, document)),
  );
}

describe("the files of the builtin model", () => {
  it("come out of the script with the committed bytes", async () => {
    const files = buildFiles();
    const stale: string[] = [];
    for (const [name, bytes] of files) {
      const committed = await readFile(join(BUILTIN_FOLDER, name));
      if (!committed.equals(bytes)) stale.push(`${name}: run npm run make:builtin`);
    }
    expect(stale).toEqual([]);
    const made = (await readdir(BUILTIN_FOLDER)).filter((name) => /\.(?:json|onnx)$/u.test(name));
    expect(made.toSorted()).toEqual([...files.keys()].toSorted());
  });

  it("stay small", () => {
    const bytes = buildFiles();
    expect(bytes.get("tokenizer.json")?.length).toBeLessThan(2_500_000);
    expect(bytes.get("model.onnx")?.length).toBeLessThan(1_000_000);
  });
});

describe("a logit of the builtin model", () => {
  it("is the BM25 that the token ids give", async () => {
    const reference = referenceBm25(buildVocabulary());
    const pairs = [...(await randomPairs(150, 1)), ...(await samplePairs(100))];
    let matched = 0;
    let worst = 0;
    for (const pair of pairs) {
      const [logit = Number.NaN] = await score([pair]);
      const expected = reference(pair.query, pair.document);
      worst = Math.max(worst, Math.abs(logit - expected));
      if (expected > LOWEST_LOGIT) matched += 1;
    }
    expect(worst).toBeLessThan(TOLERANCE);
    expect(matched).toBeGreaterThan(100);
  });

  it("is that BM25 at the greatest length, too", async () => {
    const reference = referenceBm25(buildVocabulary());
    const random = new SeededRandom(2);
    const query = (await pairOf(randomText(random, 400), "")).query.slice(0, 600);
    const document = (await pairOf("", randomText(random, 2000))).document;
    const pair = { query, document: document.slice(0, MAX_POSITION_EMBEDDINGS - 3 - query.length) };
    expect(pair.query.length + pair.document.length + 3).toBe(MAX_POSITION_EMBEDDINGS);
    const [logit = Number.NaN] = await score([pair]);
    expect(Math.abs(logit - reference(pair.query, pair.document))).toBeLessThan(TOLERANCE);
  });

  it("is the same to the bit alone, padded, and in any batch", async () => {
    const pairs = await randomPairs(64, 3);
    const alone: number[] = [];
    for (const pair of pairs) alone.push(...(await score([pair])));
    expect(new Set(alone).size).toBeGreaterThan(20);
    for (const padding of [1, 7, 100]) {
      const [first = { query: [], document: [] }] = pairs;
      expect([...(await score([first], padding))]).toEqual(alone.slice(0, 1));
    }
    expect([...(await score(pairs))]).toEqual(alone);
    expect([...(await score(pairs, 33))]).toEqual(alone);
    const backwards = await score(pairs.toReversed());
    expect([...backwards].toReversed()).toEqual(alone);
  });

  it("is finite, bounded and strictly above the empty document's if a word is shared", async () => {
    const lowest = await logitOf("what is a cell", "");
    expect(lowest).toBe(LOWEST_LOGIT);
    expect(await logitOf("", "a cell is")).toBe(LOWEST_LOGIT);
    expect(await logitOf("", "")).toBe(LOWEST_LOGIT);
    expect(await logitOf("?!", "...")).toBe(LOWEST_LOGIT);
    expect(await logitOf("what is a cell", "nothing in common")).toBe(lowest);
    expect(await logitOf("what is a cell", `is ${"grass ".repeat(400)}`)).toBeGreaterThan(lowest);
    const all = await logitOf("cell membrane", "cell membrane ".repeat(200));
    expect(all).toBeLessThan(HIGHEST_LOGIT);
    expect(all).toBeGreaterThan(1);
  });

  it("keeps its order through a sigmoid in float64 and in float32", async () => {
    const logits = [...(await score(await randomPairs(300, 4)))].toSorted((a, b) => a - b);
    const distinct = [...new Set(logits)];
    expect(distinct.length).toBeGreaterThan(100);
    // The hardest steps: the two highest logits that the model can give.
    distinct.push(HIGHEST_LOGIT - 1 / LOGIT_STEPS, HIGHEST_LOGIT);
    for (const [index, logit] of distinct.slice(1).entries()) {
      const before = distinct[index] ?? Number.NaN;
      expect(sigmoid(logit)).toBeGreaterThan(sigmoid(before));
      expect(sigmoid32(logit)).toBeGreaterThan(sigmoid32(before));
    }
  });
});

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Every step rounded to float32. */
function sigmoid32(logit: number): number {
  return Math.fround(1 / Math.fround(1 + Math.fround(Math.exp(-logit))));
}

const LETTERS = Array.from("abcdefghijklmnopqrstuvwxyz");

function inventedWord(random: SeededRandom): string {
  return Array.from({ length: random.between(5, 14) }, () => random.pick(LETTERS)).join("");
}

/** Words that look like `word` and are not: none of them differs by a plural s alone. */
function lookAlikes(word: string, random: SeededRandom): string[] {
  const letters = Array.from(word);
  const place = random.between(0, letters.length - 2);
  const swapped = letters
    .with(place, letters[place + 1] ?? "")
    .with(place + 1, letters[place] ?? "");
  return [
    random.shuffle(letters).join(""),
    letters.toReversed().join(""),
    swapped.join(""),
    letters.with(place, random.pick(LETTERS)).join(""),
    letters.toSpliced(place, 1).join(""),
    word + random.pick(LETTERS),
    random.pick(LETTERS) + word,
    `${word}ing`,
    word + word,
    `${word.slice(0, 3)} ${word.slice(3)}`,
  ].filter((other) => other !== word);
}

describe("words that look alike", () => {
  it("never outrank the words themselves, whatever the documents' lengths", async () => {
    const random = new SeededRandom(5);
    const filler = (words: number) =>
      Array.from({ length: words }, () => random.pick(["green", "house", "paper", "sleep"]));
    const texts: string[] = [];
    for (let word = 0; word < 1000; word += 2) {
      const invented = Array.from({ length: 2 }, () => inventedWord(random));
      const alike = invented.flatMap((one) => lookAlikes(one, random));
      texts.push(
        `what is the ${invented.join(" ")}`,
        // Once each, and far apart, in a document that is as long as a document gets.
        random.shuffle([...invented, ...filler(random.pick([0, 20, 200, 700]))]).join(" "),
        // The word is there as often as can be, in a short document.
        ["what is the what is the", ...random.shuffle([...alike, ...alike, ...alike])].join(" "),
      );
    }
    const ids = await encode(texts);
    const outranked: (string | undefined)[] = [];
    for (let index = 0; index < ids.length; index += 3) {
      const [query = [], same = [], alike = []] = ids.slice(index, index + 3);
      const [exact = Number.NaN, lookAlike = Number.NaN] = await score([
        { query, document: same },
        { query, document: alike },
      ]);
      if (!(exact > lookAlike)) outranked.push(texts[index]);
    }
    expect(ids).toHaveLength(1500);
    expect(outranked).toEqual([]);
  });

  it("do not match at all if they are anagrams or share no beginning", async () => {
    const random = new SeededRandom(6);
    const matched: string[] = [];
    for (let count = 0; count < 200; count += 1) {
      const word = inventedWord(random);
      const anagram = random.shuffle(Array.from(word)).join("");
      if (anagram.slice(0, 5) === word.slice(0, 5)) continue;
      if ((await logitOf(word, `${anagram} x${word}`)) !== LOWEST_LOGIT) matched.push(word);
    }
    expect(matched).toEqual([]);
  });

  it("count a little if only the ending differs, and plurals more", async () => {
    const exact = await logitOf("infection", "an infection of the lung");
    const plural = await logitOf("infection", "an infections of the lung");
    const related = await logitOf("infection", "an infectious of the lung");
    expect(exact).toBeGreaterThan(plural);
    expect(plural).toBeGreaterThanOrEqual(related);
    expect(related).toBeGreaterThan(LOWEST_LOGIT);
    expect(await logitOf("class", "clas")).toBe(LOWEST_LOGIT);
    expect(await logitOf("cells", "a cell")).toBeGreaterThan(LOWEST_LOGIT);
  });
});

describe("a Chinese query", () => {
  it("prefers the document with its words to one with its characters apart", async () => {
    const words = await logitOf("糖尿病护理", "糖尿病足的日常护理方法");
    const apart = await logitOf("糖尿病护理", "糖水尿布生病护士整理方法");
    expect(words).toBeGreaterThan(apart);
  });
});

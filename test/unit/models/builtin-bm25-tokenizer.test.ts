import { resolve } from "node:path";
import { AutoTokenizer, env } from "@huggingface/transformers";
import { beforeAll, describe, expect, it } from "vitest";
import { buildVocabulary } from "../../../models/builtin-bm25/vocabulary.js";
import { BUILTIN_FOLDER, openBuiltinTokenizer, type Encode } from "../../support/builtin-model.js";
import { given, longTests } from "../../support/needs.js";
import { SeededRandom } from "../../support/random.js";

const UNKNOWN = 1;
const BLOCK = 256;
const LETTERS = Array.from("abcdefghijklmnopqrstuvwxyz");
const vocabulary = buildVocabulary();

let encode: Encode;
let encodeInJavaScript: (text: string) => number[];

beforeAll(async () => {
  encode = openBuiltinTokenizer();
  env.allowRemoteModels = false;
  env.localModelPath = `${resolve(BUILTIN_FOLDER, "..")}/`;
  const tokenizer = await AutoTokenizer.from_pretrained("builtin-bm25");
  encodeInJavaScript = (text) => tokenizer.encode(text, { add_special_tokens: false });
});

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index));
}

/** The words of a text as the model tells them apart, in the letters of the byte alphabet. */
async function wordCount(text: string): Promise<number> {
  const [ids = []] = await encode([text]);
  return ids.filter((id) => id >= vocabulary.firstStart).length;
}

describe("the tokenizer of the builtin model", () => {
  it("knows every invented Latin word, of any length", async () => {
    const random = new SeededRandom(7);
    const words = Array.from({ length: 5000 }, () =>
      Array.from({ length: random.between(1, 40) }, () => random.pick(LETTERS)).join(""),
    );
    words.push("x".repeat(10_000), "Übergrößenträger", "naïveté", "ŁÓDŹ", "œuvre", "ß", "ﬁn");
    const encoded = await encode(words);
    const wrong = words.filter((_, index) => {
      const ids = encoded[index] ?? [];
      return ids.length === 0 || ids.includes(UNKNOWN);
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    ["Han", 0x4e00, 0x9fff],
    ["Han extension A", 0x3400, 0x4dbf],
    ["Han extensions B to F and I", 0x20000, 0x2ee5d],
    ["Han extensions G, H", 0x30000, 0x323af],
    ["compatibility Han", 0xf900, 0xfa6d],
    ["Hiragana", 0x3041, 0x3096],
    ["Katakana", 0x30a1, 0x30fa],
    ["half-width Katakana", 0xff66, 0xff9d],
    ["Bopomofo", 0x3105, 0x312f],
    ["Hangul", 0xac00, 0xd7a3],
    ["Yi", 0xa000, 0xa48c],
  ])("makes every character of %s a word and knows it", async (_name, from, to) => {
    const characters = range(from, to);
    const encoded = await encode(characters.map((character) => `a${character}b`));
    const wrong = characters.filter((_, index) => {
      const ids = encoded[index] ?? [];
      const words = ids.filter((id) => id >= vocabulary.firstStart).length;
      return words !== 3 || ids.includes(UNKNOWN);
    });
    expect(wrong).toEqual([]);
  });

  it("knows every code point of Unicode", given(longTests), async () => {
    const blocks = Array.from({ length: 0x110000 / BLOCK }, (_, index) =>
      range(index * BLOCK, (index + 1) * BLOCK - 1).join(" "),
    );
    const encoded = await encode(blocks);
    const wrong = blocks.filter((_, index) => encoded[index]?.includes(UNKNOWN) ?? true);
    expect(wrong).toEqual([]);
  });

  it("splits words, numbers, syllables and characters, and drops punctuation", async () => {
    expect(await wordCount("don't stop — B12/IL-6 (2021)!")).toBe(8);
    expect(await wordCount("北京是中国的首都。")).toBe(8);
    expect(await wordCount("カタカナ語")).toBe(5);
    expect(await wordCount("Москва и Ελλάδα")).toBe(3);
    expect(await wordCount("ที่นี่ แม่")).toBe(4);
    expect(await wordCount("हिन्दी भाषा")).toBe(2);
    expect(await wordCount("... ?! —")).toBe(0);
  });

  it.each([
    ["Café", "CAFE"],
    ["ΟΔΟΣ", "οδος"],
    ["ＡＢＣ", "abc"],
    ["İzmir", "izmir"],
    ["co\u00adoperate", "cooperate"],
    ["ﬁnd", "find"],
    ["が", "か\u3099"],
    ["한", "\u1112\u1161\u11ab"],
    ["כָּל", "כל"],
  ])("reads %s as %s", async (one, other) => {
    const [ids = [], same = []] = await encode([one, other]);
    expect(ids.length).toBeGreaterThan(0);
    expect(ids).toEqual(same);
  });

  it("gives different words different pieces, whatever they have in common", async () => {
    const random = new SeededRandom(8);
    const words = new Set<string>();
    while (words.size < 5000) {
      const length = random.between(2, 12);
      words.add(Array.from({ length }, () => random.pick(["a", "b", "n", "t"])).join(""));
    }
    const encoded = await encode([...words]);
    expect(new Set(encoded.map((ids) => ids.join(" "))).size).toBe(words.size);
  });

  it("needs about two tokens for an English word", async () => {
    const text =
      "Randomised trials of anticoagulant treatment in elderly patients rarely report bleeding " +
      "outside hospitals. We reviewed the records of general practitioners and compared them " +
      "with the published incidence; most haemorrhages were minor and needed no transfusion.";
    const [ids = []] = await encode([text]);
    expect(ids.length / text.split(" ").length).toBeLessThan(2);
  });

  it("gives the same ids in the Rust library and in JavaScript", async () => {
    const random = new SeededRandom(9);
    const points: readonly (readonly [number, number])[] = [
      [0x20, 0x7e],
      [0xa0, 0x24f],
      [0x300, 0x36f],
      [0x370, 0x52f],
      [0x590, 0x6ff],
      [0x900, 0x97f],
      [0xe00, 0xe4e],
      [0x1100, 0x11ff],
      [0x2000, 0x206f],
      [0x3040, 0x30ff],
      [0x4e00, 0x9fff],
      [0xac00, 0xd7a3],
      [0xff00, 0xffef],
      [0x1f600, 0x1f64f],
      [0x20000, 0x2a6df],
    ];
    const texts = Array.from({ length: 3000 }, () => {
      const [from, to] = random.pick(points);
      return Array.from({ length: random.between(1, 30) }, () =>
        random.next() < 0.2 ? " " : String.fromCodePoint(random.between(from, to)),
      ).join("");
    });
    texts.push("", "\0", "a\u0000b", "\ud800 lone", "👩‍👩‍👧‍👦", "a".repeat(500), "١٢٣ १२३", "ὈΔΥΣΣΕΎΣ");
    const encoded = await encode(texts);
    const different = texts.filter(
      (text, index) => encodeInJavaScript(text).join(" ") !== encoded[index]?.join(" "),
    );
    expect(different).toEqual([]);
  });

  it("stays quick on a very long word", async () => {
    const [ids = []] = await encode(["ab".repeat(250_000)]);
    expect(ids.length).toBeGreaterThan(100_000);
    expect(ids).not.toContain(UNKNOWN);
  });
});

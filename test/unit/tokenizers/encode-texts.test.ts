import { describe, expect, it } from "vitest";
import type { BatchEncoder } from "../../../src/tokenizers/batch-encoder.js";
import { encodeTexts } from "../../../src/tokenizers/encode-texts.js";

const idsOf = (text: string): Int32Array =>
  Int32Array.from(text.split(" ").filter(Boolean), (word) => word.length);

/** A word is a token, its id the word's length; remembers what it was given. */
function wordCounter(): BatchEncoder & { readonly calls: string[][] } {
  const calls: string[][] = [];
  return {
    calls,
    encodeBatch: (texts) => {
      calls.push(texts);
      return Promise.resolve(texts.map(idsOf));
    },
  };
}

const MEGABYTE_OF_WORDS = "word ".repeat(200_000).trimEnd();
const charsOf = (calls: readonly string[][]): number =>
  calls.flat().reduce((sum, { length }) => sum + length, 0);

describe("encoding texts", () => {
  it("reads a long document no further than asked for, and says that there is more", async () => {
    const encoder = wordCounter();
    const [ids] = await encodeTexts(encoder, true, [MEGABYTE_OF_WORDS], 512);
    expect(ids?.length).toBe(513);
    expect(charsOf(encoder.calls)).toBeLessThan(5_000);
  });

  it("reads on until it has enough", async () => {
    const encoder = wordCounter();
    const longWords = `${"a".repeat(5_000)} `.repeat(40);
    const [ids] = await encodeTexts(encoder, true, [longWords], 20);
    expect([...(ids ?? [])]).toEqual(Array.from({ length: 21 }, () => 5_000));
    expect(encoder.calls.length).toBeGreaterThan(1);
    expect(charsOf(encoder.calls)).toBeLessThan(longWords.length);
  });

  it("puts parts together in order, in calls of bounded size", async () => {
    const encoder = wordCounter();
    const text = Array.from({ length: 60_000 }, (_, index) => "x".repeat(1 + (index % 9))).join(
      " ",
    );
    const [ids] = await encodeTexts(encoder, true, [text]);
    expect([...(ids ?? [])]).toEqual(Array.from({ length: 60_000 }, (_, index) => 1 + (index % 9)));
    expect(Math.max(...encoder.calls.map((call) => charsOf([call])))).toBeLessThanOrEqual(65_536);
  });

  it("cuts nothing where cuts are not safe", async () => {
    const encoder = wordCounter();
    const [ids] = await encodeTexts(encoder, false, [MEGABYTE_OF_WORDS], 10);
    expect(ids?.length).toBe(11);
    expect(encoder.calls).toEqual([[MEGABYTE_OF_WORDS]]);
  });

  it("cuts only between letters or digits with one space", async () => {
    const encoder = wordCounter();
    const text = "字 字, 字  a ".repeat(20_000);
    await encodeTexts(encoder, true, [text], 10);
    expect(encoder.calls).toEqual([[text]]);
  });

  it("keeps the order of texts of every length", async () => {
    const encoder = wordCounter();
    const texts = ["", "a bb", MEGABYTE_OF_WORDS, "", "ccc"];
    const encoded = await encodeTexts(encoder, true, texts, 3);
    expect(encoded.map((ids) => [...ids])).toEqual([[], [1, 2], [4, 4, 4, 4], [], [3]]);
  });

  it("replaces lone surrogates", async () => {
    const encoder = wordCounter();
    await encodeTexts(encoder, true, ["a\ud800b \udc00"]);
    expect(encoder.calls).toEqual([["a\ufffdb \ufffd"]]);
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import type { BatchEncoder } from "../../../src/tokenizers/kinds/batch-encoder.js";
import { encodeTexts, type PartReader } from "../../../src/tokenizers/encode-texts.js";

const idsOf = (text: string): Int32Array =>
  Int32Array.from(text.split(" ").filter(Boolean), (word) => word.length);

/** A word is a token, its id the word's length; remembers what it was given. */
function wordCounter(cuttable = true): PartReader & { readonly calls: string[][] } {
  const calls: string[][] = [];
  const encoder: BatchEncoder = {
    encodeBatch: (texts) => {
      calls.push(texts);
      return Promise.resolve(texts.map(idsOf));
    },
  };
  return {
    calls,
    encoder,
    rules: { spaces: cuttable, bert: false, ideographs: false, joined: new Set() },
    readStretch: (text, from, _wanted, mostChars) => {
      stretches.push(from);
      const end = Math.min(text.length, from + mostChars);
      return Promise.resolve({ ids: Int32Array.of(0 - from), end });
    },
  };
}

/** The starts of stretches that were read in another way. */
const stretches: number[] = [];
beforeEach(() => void stretches.splice(0));

const MEGABYTE_OF_WORDS = "word ".repeat(200_000).trimEnd();
const charsOf = (calls: readonly string[][]): number =>
  calls.flat().reduce((sum, { length }) => sum + length, 0);

describe("encoding texts", () => {
  it("reads a long document no further than asked for, and says that there is more", async () => {
    const encoder = wordCounter();
    const [ids] = await encodeTexts(encoder, [MEGABYTE_OF_WORDS], 512);
    expect(ids?.length).toBe(513);
    expect(charsOf(encoder.calls)).toBeLessThan(5_000);
  });

  it("reads on until it has enough", async () => {
    const encoder = wordCounter();
    const longWords = `${"a".repeat(5_000)} `.repeat(40);
    const [ids] = await encodeTexts(encoder, [longWords], 20);
    expect([...(ids ?? [])]).toEqual(Array.from({ length: 21 }, () => 5_000));
    expect(encoder.calls.length).toBeGreaterThan(1);
    expect(charsOf(encoder.calls)).toBeLessThan(longWords.length);
  });

  it("puts parts together in order, in calls of bounded size", async () => {
    const encoder = wordCounter();
    const text = Array.from({ length: 60_000 }, (_, index) => "x".repeat(1 + (index % 9))).join(
      " ",
    );
    const [ids] = await encodeTexts(encoder, [text]);
    expect([...(ids ?? [])]).toEqual(Array.from({ length: 60_000 }, (_, index) => 1 + (index % 9)));
    expect(Math.max(...encoder.calls.map((call) => charsOf([call])))).toBeLessThanOrEqual(65_536);
  });

  it("reads a text whole that is no longer than a part, if it shows no cut", async () => {
    const encoder = wordCounter(false);
    const text = MEGABYTE_OF_WORDS.slice(0, 32_768);
    const [ids] = await encodeTexts(encoder, [text], 10);
    expect(ids?.length).toBe(11);
    expect(encoder.calls).toEqual([[text]]);
    expect(stretches).toEqual([]);
  });

  it("gives a library no more than a part of a text that shows no cut", async () => {
    const encoder = wordCounter(false);
    const [ids] = await encodeTexts(encoder, ["a".repeat(70_000)]);
    expect(stretches).toEqual([0, 32_768]);
    expect([...(ids ?? [])]).toEqual([0, -32_768, 70_000 - 65_536]);
    expect(encoder.calls).toEqual([["a".repeat(70_000 - 65_536)]]);
  });

  it("keeps the order of texts of every length", async () => {
    const encoder = wordCounter();
    const texts = ["", "a bb", MEGABYTE_OF_WORDS, "", "ccc"];
    const encoded = await encodeTexts(encoder, texts, 3);
    expect(encoded.map((ids) => [...ids])).toEqual([[], [1, 2], [4, 4, 4, 4], [], [3]]);
  });

  it("replaces lone surrogates", async () => {
    const encoder = wordCounter();
    await encodeTexts(encoder, ["a\ud800b \udc00"]);
    expect(encoder.calls).toEqual([["a\ufffdb \ufffd"]]);
  });
});

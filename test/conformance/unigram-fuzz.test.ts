import { readFileSync } from "node:fs";
import type { Tokenizer as Reference } from "tokenizers";
import { beforeAll, describe, expect, it } from "vitest";
import { UnigramEncoder } from "../../src/tokenizers/kinds/unigram/unigram-encoder.js";
import { compileUnigram } from "../../src/tokenizers/kinds/unigram/unigram-spec.js";
import { tokenizerJsonSchema } from "../../src/tokenizers/tokenizer-json.js";
import { SeededRandom } from "../support/random.js";
import { openReference, referenceIds, TOKENIZERS } from "./tokenizer.data.js";

const FULL_SWEEP = process.env["RANKMILL_TEST_FULL_SWEEP"] === "1";
/** Random texts of each kind. */
const TEXTS = FULL_SWEEP ? 100_000 : 1_500;
const SWEEP_STEP = FULL_SWEEP ? 1 : 61;
const CALL_TEXTS = 2_048;
const CODE_POINTS = 0x110000;

/** Texts at which normalisers and clusters go wrong, one kind per line; a text mixes them. */
const KINDS = [
  "aáàeªﬁ™©®ℹ☎Ⓜ㊗",
  "\u0301\u0327\u0344\u0340\u0308\u200d\u200c\u093c\u094d\u0903\u3099\ufe0f\u0e33",
  "\r\n\t \u00a0\u0085\u2028\u3000 ",
  "\u0600\u06dd\u0890กน\u0e49",
  "कखगतन",
  "가각\u1100\u1161\u11a8\ud7b0ㄱ",
  "👩👍🏽🏳️‍🌈🇩🇪",
  "\u0001\u0000\u00ad\ufeff\ufffd\u2060\u{e0001}\u{e0100}",
  "漢字カナﾊﾟｶﾞ",
  "▁▁ _-.....---",
  "the mill turns ",
  "ſẞⅧ㎏½²①",
].map((kind) => Array.from(kind));
/** Runs of one thing are where sums of scores are equal, or would be but for their order. */
const RUNS = [
  ...Array.from("a-.=_01x!?*/\\漢の哈ん한…—"),
  "ha",
  "ab",
  "the",
  "12",
  "aA",
  "字漢",
  "aba",
];
const LONG_RUNS = [4_095, 4_096, 4_097, 9_001, 70_000];

/** The number of random texts, the same in every run. */
function random(seed: number, make: (seeded: SeededRandom) => string): string[] {
  const seeded = new SeededRandom(seed);
  return Array.from({ length: TEXTS }, () => make(seeded).toWellFormed());
}

function repeated(seeded: SeededRandom, most: number, make: () => string): string {
  return Array.from({ length: seeded.between(1, most) }, make).join("");
}

for (const { name, folder } of TOKENIZERS.filter(({ own }) => own)) {
  describe(`our own tokenizer on ${name}`, () => {
    let reference: Reference;
    let encoder: UnigramEncoder;
    let pieces: string[];
    beforeAll(() => {
      const text = readFileSync(`${folder}/tokenizer.json`, "utf8");
      const json: unknown = JSON.parse(text);
      const spec = compileUnigram(tokenizerJsonSchema.parse(json), text);
      if (spec.status !== "compiled") throw new Error(spec.reason);
      encoder = new UnigramEncoder(spec.unigram);
      reference = openReference(folder);
      const { vocab } = (json as { model: { vocab: [string, number][] } }).model;
      // The reference reads special tokens in a text as such.
      pieces = vocab.map(([piece]) => piece).filter((piece) => !/^<.*>$/.test(piece));
    });

    const expectSameIds = async (texts: readonly string[]): Promise<void> => {
      for (let at = 0; at < texts.length; at += CALL_TEXTS) {
        const call = texts.slice(at, at + CALL_TEXTS);
        const theirs = await referenceIds(reference, call);
        const differing = call
          .map((text, index) => ({ text, ours: [...encoder.encode(text)], theirs: theirs[index] }))
          .filter(({ ours, theirs: ids }) => ours.join() !== ids?.join());
        expect(differing.slice(0, 3)).toEqual([]);
      }
    };
    it(
      "gives the ids of the Rust library for every character, alone, among others and in clusters",
      { timeout: 900_000 },
      async () => {
        const characters: string[] = [];
        for (let point = 0; point < CODE_POINTS; point += SWEEP_STEP) {
          if (point < 0xd800 || point > 0xdfff) characters.push(String.fromCodePoint(point));
        }
        await expectSameIds(characters.map((one) => `a${one}b ${one} c`));
        await expectSameIds(characters.map((one) => `${one}\u0301`));
        await expectSameIds(characters.map((one) => `ª${one}\u0344${one}`));
        await expectSameIds(characters.map((one) => `${one}${one}${one}\n`));
      },
    );

    it("gives the ids of the Rust library for mixtures of what goes wrong", async () => {
      const mix = random(1, (seeded) =>
        repeated(seeded, 14, () => seeded.pick(seeded.pick(KINDS))),
      );
      await expectSameIds(mix);
    });

    it("gives the ids of the Rust library for random characters", async () => {
      const texts = random(2, (seeded) =>
        repeated(seeded, 8, () =>
          String.fromCodePoint(seeded.between(0, seeded.next() < 0.7 ? 0x3000 : CODE_POINTS - 1)),
        ),
      );
      await expectSameIds(texts);
    });

    it("gives the ids of the Rust library for pieces of the vocabulary in any order", async () => {
      const texts = random(3, (seeded) =>
        repeated(seeded, 6, () => seeded.pick(pieces).replace("▁", seeded.next() < 0.5 ? " " : "")),
      );
      await expectSameIds(texts);
    });

    it("gives the ids of the Rust library for runs of one thing", async () => {
      const lengths = Array.from({ length: 130 }, (_, index) => index * 2 + 1);
      await expectSameIds(RUNS.flatMap((run) => lengths.map((length) => run.repeat(length))));
      await expectSameIds(RUNS.flatMap((run) => LONG_RUNS.map((length) => run.repeat(length))));
    });

    it("gives the ids of the Rust library for long texts without a space, and their beginnings", async () => {
      const seeded = new SeededRandom(4);
      const texts = Array.from({ length: 6 }, () =>
        Array.from({ length: 8_000 }, () => seeded.pick(pieces).replace("▁", "")).join(""),
      );
      await expectSameIds(texts);
      for (const text of texts) {
        const whole = encoder.encode(text);
        for (const wanted of [1, 2, 511, 513, 3_000]) {
          expect(encoder.encode(text, wanted)).toEqual(whole.slice(0, wanted));
        }
      }
    });
  });
}
